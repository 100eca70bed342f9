using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Encryption;

/// <summary>
/// A blind index: HMAC-SHA-256 under a key of its own, per index and clinic, over normalised values. Equal values give equal tokens and so tell, to who sees the table,
/// that two rows agree in a value or in the beginning of a name, and how frequent each is; never which it is, without the key.
/// </summary>
/// <remarks>Thread-safe. Zeroed by <see cref="Dispose"/>. Finding is: tokens, then open what was found, then <see cref="NameMatch.Matches"/>.</remarks>
public sealed class BlindIndexKey : IDisposable
{
    /// <summary>Length of tokens of exact values.</summary>
    public const int ExactLength = 16;

    /// <summary>Length of tokens of names.</summary>
    public const int NameLength = 8;

    /// <summary>Letters from which on the beginning of a name finds it. Shorter words find only names that short.</summary>
    public const int ShortestPrefix = 3;

    /// <summary>Letters of the longest beginning that has a token.</summary>
    public const int LongestPrefix = 6;

    private readonly byte[] secret = GC.AllocateUninitializedArray<byte>(DataKey.SecretLength, pinned: true);
    private volatile bool disposed;

    /// <summary>An index key from its secret, which is copied; the caller zeroes its own copy.</summary>
    /// <param name="indexId">Which index; stored beside the tokens.</param>
    /// <param name="version">Version of the index key; stored beside the tokens, read from two versions while rotating.</param>
    /// <param name="secret">32 random bytes, used for this index and clinic only.</param>
    public BlindIndexKey(int indexId, int version, ReadOnlySpan<byte> secret)
    {
        if (secret.Length != DataKey.SecretLength) throw new ArgumentException($"A key has {DataKey.SecretLength} bytes, not {secret.Length}.", nameof(secret));
        IndexId = indexId;
        Version = version;
        secret.CopyTo(this.secret);
    }

    /// <summary>Which index.</summary>
    public int IndexId { get; }

    /// <summary>Version of the index key.</summary>
    public int Version { get; }

    /// <summary>The token of a whole value, which the caller has normalised (<see cref="Normaliser"/>).</summary>
    /// <exception cref="ArgumentException">The value is empty: there is nothing to index, and an empty token would make all empty values equal.</exception>
    public byte[] Exact(string normalised)
    {
        ArgumentException.ThrowIfNullOrEmpty(normalised);
        return Token(0x01, normalised, ExactLength);
    }

    /// <summary>
    /// Tokens to store for a name: every word whole, and its beginnings of <see cref="ShortestPrefix"/> to <see cref="LongestPrefix"/> letters. No duplicates; none for a
    /// text without letters or digits; at most a few hundred whatever the text.
    /// </summary>
    public IReadOnlyList<byte[]> NameTokens(string name)
    {
        var values = new HashSet<string>(StringComparer.Ordinal);
        foreach (var token in NameText.Tokens(name))
        {
            values.Add(token);
            var letters = NameText.Count(token);
            for (var n = ShortestPrefix; n <= LongestPrefix && n < letters; n++) values.Add(NameText.First(token, n));
        }
        return [.. values.Select(NameToken)];
    }

    /// <summary>
    /// The token by which a word being typed is looked for: the word itself up to <see cref="LongestPrefix"/> letters, and its beginning from there on, so that any
    /// beginning of three or more letters finds. Null when there is no letter or digit in it.
    /// </summary>
    /// <param name="word">One word; of several the first counts.</param>
    public byte[]? QueryToken(string word) => NameText.Words(word) is [var parts, ..] ? NameToken(NameText.First(NameText.Join(parts, 0), LongestPrefix)) : null;

    /// <summary>
    /// The tokens by which a typed text is looked for: a row is a candidate when for every inner list it has at least one of its tokens. Words of one or two letters
    /// narrow only when there are no longer ones, and are otherwise left to <see cref="NameMatch"/>. Empty when there is nothing to look for: then nothing is found.
    /// </summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="wholeWords">
    /// True to look for words of more than six letters as complete: exact where many names begin alike (Christopher among all Christ…), and to be followed by a second
    /// look with false, because the word may not be complete.
    /// </param>
    public IReadOnlyList<IReadOnlyList<byte[]>> QueryTokens(string typed, bool wholeWords = false)
    {
        var needed = new List<IReadOnlyList<byte[]>>();
        var shortWords = new HashSet<string>(StringComparer.Ordinal);
        foreach (var parts in NameText.Words(typed).Take(NameText.MostTokens))
        {
            var joined = NameText.Join(parts, 0);
            var any = new HashSet<string>(StringComparer.Ordinal) { Looked(joined) };
            if (parts.Count > 1) any.Add(Looked(NameText.First(parts.MaxBy(NameText.Count)!, NameText.LongestToken)));
            if (NameText.Count(joined) >= ShortestPrefix) needed.Add([.. any.Select(NameToken)]);
            else shortWords.UnionWith(any);
        }
        if (needed.Count == 0 && shortWords.Count > 0) needed.Add([.. shortWords.Select(NameToken)]);
        return needed;

        string Looked(string word) => wholeWords ? word : NameText.First(word, LongestPrefix);
    }

    /// <summary>Zeroes the secret.</summary>
    public void Dispose()
    {
        disposed = true;
        CryptographicOperations.ZeroMemory(secret);
    }

    private byte[] NameToken(string token) => Token(0x02, token, NameLength);

    private byte[] Token(byte kind, string value, int length)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var bytes = Encoding.UTF8.GetByteCount(value) + 1;
        var input = bytes <= 512 ? stackalloc byte[bytes] : new byte[bytes];
        input[0] = kind;
        Encoding.UTF8.GetBytes(value, input[1..]);
        HMACSHA256.HashData(secret, input, mac);
        CryptographicOperations.ZeroMemory(input);
        ObjectDisposedException.ThrowIf(disposed, this); // a secret zeroed meanwhile must not give a token
        return mac[..length].ToArray();
    }
}

using Chaperone.Platform.Operations;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Chaperone.Clinic.SignIn;

/// <summary>
/// Hashes and checks passwords: PBKDF2-HMAC-SHA512 in the format of ASP.NET Core Identity version 3. Hashing is slow on purpose, so at most half of the cores do it at
/// a time, and who finds a long queue is sent away at once: a flood of sign-ins never starves the rest of the program. Call it outside of transactions.
/// </summary>
internal sealed class Passwords : IDisposable
{
    /// <summary>OWASP's number for PBKDF2-HMAC-SHA512. The start refuses less.</summary>
    public const int FewestIterations = 210_000;

    public const int ShortestLength = 12;
    public const int LongestLength = 200;

    private const int MostWaiting = 64;
    private static readonly object Nobody = new();

    private readonly PasswordHasher<object> hasher;
    private readonly SemaphoreSlim turn = new(Math.Max(1, Environment.ProcessorCount / 2));
    private readonly Task<string> dummy;
    private int waiting;
    private long evaluated;
    private long pretended;

    public Passwords() : this(FewestIterations)
    {
    }

    /// <summary>More than the least for installations with the cores for it; fewer only in tests.</summary>
    internal Passwords(int iterations)
    {
        hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        dummy = Task.Run(() => hasher.HashPassword(Nobody, SecretToken.New().Text));
    }

    /// <summary>How many passwords were compared with a real account's hash since the start; tests count by it.</summary>
    internal long Evaluated => Interlocked.Read(ref evaluated);

    /// <summary>How many were compared with a hash that is nobody's.</summary>
    internal long Pretended => Interlocked.Read(ref pretended);

    /// <summary>Hashes a new password.</summary>
    public Task<Result<string>> HashAsync(string password, CancellationToken cancel) => InTurn(() => hasher.HashPassword(Nobody, password), cancel);

    /// <summary>Compares. Without a hash (unknown or locked account, no password yet) the same work is done and the answer is wrong.</summary>
    public async Task<Result<PasswordVerdict>> CheckAsync(string? hash, string password, CancellationToken cancel)
    {
        var compared = hash ?? await dummy;
        return await InTurn(
            () =>
            {
                Interlocked.Increment(ref hash is null ? ref pretended : ref evaluated);
                var verdict = hasher.VerifyHashedPassword(Nobody, compared, password);
                if (hash is null || verdict == PasswordVerificationResult.Failed) return PasswordVerdict.Wrong;
                return verdict == PasswordVerificationResult.Success ? PasswordVerdict.Right : new(true, hasher.HashPassword(Nobody, password));
            },
            cancel);
    }

    /// <summary>Why a new password is refused, as a sentence, or null.</summary>
    public static string? Refusal(string password, params string?[] about)
    {
        if (password.Length < ShortestLength) return $"Use at least {ShortestLength} characters. A few words in a row are easy to remember.";
        if (password.Length > LongestLength) return $"Use at most {LongestLength} characters.";
        if (about.Any(text => text is { Length: > 3 } && password.Trim().Equals(text, StringComparison.OrdinalIgnoreCase))) return "Choose a password that is not your name or address.";
        return CommonPasswords.Contains(password) ? "This password is too easy to guess. Choose one that is not made of common words and numbers." : null;
    }

    public void Dispose() => turn.Dispose();

    private async Task<Result<T>> InTurn<T>(Func<T> work, CancellationToken cancel)
    {
        if (Interlocked.Increment(ref waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref waiting);
            return SignInErrors.Busy;
        }
        try
        {
            await turn.WaitAsync(cancel);
            try
            {
                return await Task.Run(work, cancel);
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }
}

/// <summary>What came of comparing a password.</summary>
/// <param name="IsRight">Whether it was right.</param>
/// <param name="Rehashed">The hash to keep from now on, when the old one was made with fewer iterations.</param>
internal sealed record PasswordVerdict(bool IsRight, string? Rehashed = null)
{
    public static PasswordVerdict Right { get; } = new(true);

    public static PasswordVerdict Wrong { get; } = new(false);
}

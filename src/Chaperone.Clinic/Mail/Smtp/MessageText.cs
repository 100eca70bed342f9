using System.Globalization;
using System.Text;

namespace Chaperone.Clinic.Mail.Smtp;

/// <summary>What goes into a message.</summary>
/// <param name="Id">Its Message-ID, without angle brackets.</param>
/// <param name="FromName">The sender's name.</param>
/// <param name="From">The sender's address.</param>
/// <param name="To">The recipient's address.</param>
/// <param name="At">Its date.</param>
/// <param name="Content">Subject and body.</param>
internal sealed record MessageParts(string Id, string FromName, string From, string To, DateTimeOffset At, MailContent Content)
{
    public override string ToString() => nameof(MessageParts);
}

/// <summary>Writes a message (RFC 5322): plain text and HTML as alternatives, both in base64, so that no line of a body can be anything but a body.</summary>
internal static class MessageText
{
    private const int WordBytes = 42;   // 56 in base64, with the frame under the 75 of an encoded word

    public static ReadOnlyMemory<byte> Write(MessageParts parts)
    {
        var boundary = "=_" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(parts.Id)))[..32];
        var text = new StringBuilder()
            .Append("Date: ").Append(parts.At.ToUniversalTime().ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)).Append("\r\n")
            .Append("From: ").Append(Words(parts.FromName)).Append(" <").Append(Address(parts.From)).Append(">\r\n")
            .Append("To: <").Append(Address(parts.To)).Append(">\r\n")
            .Append("Subject: ").Append(Words(parts.Content.Subject)).Append("\r\n")
            .Append("Message-ID: <").Append(parts.Id).Append(">\r\n")
            .Append("Auto-Submitted: auto-generated\r\n")
            .Append("MIME-Version: 1.0\r\n")
            .Append("Content-Type: multipart/alternative; boundary=\"").Append(boundary).Append("\"\r\n\r\n");
        foreach (var (type, body) in new[] { ("text/plain", parts.Content.Text), ("text/html", parts.Content.Html) })
        {
            text.Append("--").Append(boundary).Append("\r\nContent-Type: ").Append(type).Append("; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
                .Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(body.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\r\n")).Append("\r\n");
        }
        return Encoding.UTF8.GetBytes(text.Append("--").Append(boundary).Append("--\r\n").ToString());
    }

    // Read once more: whatever came this way is an address or nothing.
    private static string Address(string address) => MailAddress.Read(address) ?? throw new InvalidOperationException("This is no address to send to.");

    /// <summary>Free text of a header: as it is when it is plain words, else in encoded words (RFC 2047). Control characters become spaces.</summary>
    public static string Words(string text)
    {
        var clean = string.Concat(text.Select(letter => char.IsControl(letter) ? ' ' : letter)).Trim();
        if (clean.Length <= 60 && clean.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is ' ' or '-' or '\'')) return clean;
        var words = new List<string>();
        var word = new List<byte>();
        foreach (var rune in clean.EnumerateRunes())
        {
            var bytes = new byte[rune.Utf8SequenceLength];
            rune.EncodeToUtf8(bytes);
            if (word.Count + bytes.Length > WordBytes)
            {
                words.Add(Encoded(word));
                word.Clear();
            }
            word.AddRange(bytes);
        }
        if (word.Count > 0) words.Add(Encoded(word));
        return string.Join("\r\n ", words);

        static string Encoded(List<byte> bytes) => $"=?utf-8?B?{Convert.ToBase64String([.. bytes])}?=";
    }
}

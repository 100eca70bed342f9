using System.Buffers;
using System.Globalization;
using System.Text;

namespace Chaperone.Clinic.Mail.Smtp;

/// <summary>A server's answer: its number, and the text of its lines.</summary>
internal sealed record SmtpReply(int Number, IReadOnlyList<string> Lines)
{
    public bool IsGood => Number is >= 200 and < 400;

    public bool IsForGood => Number is >= 500;
}

/// <summary>Lines over a stream: answers of bounded size, each within its time, and commands that cannot hold a line's end (RFC 5321, 4.1 and 4.2).</summary>
internal sealed class SmtpWire(Stream stream, TimeSpan replyWithin)
{
    private const int MostLine = 2048, MostLines = 100;
    private readonly byte[] buffer = new byte[4096];
    private int from, to;

    public Stream Stream => stream;

    /// <summary>Whether something came that nobody has read: before TLS that could be anybody's.</summary>
    public bool HasUnread => from < to;

    public async Task<SmtpReply> SayAsync(string command, CancellationToken cancel)
    {
        if (command.AsSpan().ContainsAny('\r', '\n')) throw new InvalidOperationException("A command is one line.");
        await WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), cancel);
        return await HearAsync(cancel);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        using var patience = Patience(cancel);
        await stream.WriteAsync(bytes, patience.Token);
        await stream.FlushAsync(patience.Token);
    }

    public async Task<SmtpReply> HearAsync(CancellationToken cancel)
    {
        using var patience = Patience(cancel);
        var lines = new List<string>();
        while (lines.Count < MostLines)
        {
            var line = await LineAsync(patience.Token);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is < 200 or > 599 || (line.Length > 3 && line[3] is not (' ' or '-')))
                throw new SmtpEndedException(new(MailErrors.NotMail, OfServer: true));
            lines.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length == 3 || line[3] == ' ') return new(number, lines);
        }
        throw new SmtpEndedException(new(MailErrors.NotMail, OfServer: true));
    }

    /// <summary>The message with each line that begins with a dot given another, and the line that ends it (RFC 5321, 4.5.2).</summary>
    public static ReadOnlyMemory<byte> Stuffed(ReadOnlySpan<byte> message)
    {
        var stuffed = new ArrayBufferWriter<byte>(message.Length + 64);
        while (message.Length > 0)
        {
            var end = message.IndexOf("\r\n"u8);
            var line = end < 0 ? message : message[..end];
            if (line.Length > 0 && line[0] == '.') stuffed.Write("."u8);
            stuffed.Write(line);
            stuffed.Write("\r\n"u8);
            message = end < 0 ? [] : message[(end + 2)..];
        }
        stuffed.Write(".\r\n"u8);
        return stuffed.WrittenMemory;
    }

    private async Task<string> LineAsync(CancellationToken cancel)
    {
        var line = new List<byte>();
        while (line.Count < MostLine)
        {
            if (from == to)
            {
                (from, to) = (0, await stream.ReadAsync(buffer, cancel));
                if (to == 0) throw new SmtpEndedException(new(MailErrors.Lost, OfServer: true));
            }
            var next = buffer[from++];
            if (next == '\n') return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
            line.Add(next);
        }
        throw new SmtpEndedException(new(MailErrors.NotMail, OfServer: true));
    }

    private CancellationTokenSource Patience(CancellationToken cancel)
    {
        var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(replyWithin);
        return patience;
    }
}

using System.Text;
using System.Text.Encodings.Web;

namespace Chaperone.Clinic.Mail;

/// <summary>Subject and body of a mail, as text and as simple HTML: no pictures, no styles of other places, nothing that tells that it was opened.</summary>
internal sealed record MailContent(string Subject, string Text, string Html)
{
    public override string ToString() => nameof(MailContent);
}

/// <summary>What a mail says: paragraphs, perhaps one link, and why it came.</summary>
/// <param name="Subject">The subject, without the clinic's name.</param>
/// <param name="Paragraphs">Before the link.</param>
/// <param name="Link">What the link is called, or null for none.</param>
/// <param name="After">After the link.</param>
internal sealed record MailWords(string Subject, IReadOnlyList<string> Paragraphs, string? Link, IReadOnlyList<string> After)
{
    /// <summary>Lines to be kept to the letter, after the first paragraphs; or null.</summary>
    public string? Block { get; init; }

    /// <summary>The mail of a clinic.</summary>
    public MailContent Of(string clinic, string host, string? url)
    {
        var link = url is null ? null : Link;
        var foot = $"{clinic} sends this by Chaperone at {host}. Nobody reads answers to it.";
        var text = new StringBuilder();
        foreach (var paragraph in Paragraphs) text.Append(paragraph).Append("\n\n");
        if (Block is not null) text.Append(Block.TrimEnd('\n')).Append("\n\n");
        if (link is not null) text.Append(link).Append(":\n").Append(url).Append("\n\n");
        foreach (var paragraph in After) text.Append(paragraph).Append("\n\n");
        text.Append("-- \n").Append(foot).Append('\n');

        var html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>").Append(Encode(Subject)).Append("</title></head>\n")
            .Append("<body style=\"margin:0;padding:24px;background:#f4f6f8;color:#1b2733;font:16px/1.5 sans-serif\">\n<div style=\"max-width:560px;margin:0 auto;padding:24px;background:#ffffff;border-radius:8px\">\n")
            .Append("<p style=\"margin:0 0 16px;font-weight:bold\">").Append(Encode(clinic)).Append("</p>\n<h1 style=\"margin:0 0 16px;font-size:20px\">").Append(Encode(Subject)).Append("</h1>\n");
        foreach (var paragraph in Paragraphs) Paragraph(html, paragraph);
        if (Block is not null) html.Append("<pre style=\"overflow-x:auto;padding:12px;background:#f4f6f8;font:13px/1.5 monospace\">").Append(Encode(Block)).Append("</pre>\n");
        if (link is not null)
        {
            html.Append("<p><a href=\"").Append(Encode(url!)).Append("\" style=\"display:inline-block;padding:12px 20px;background:#0b5c8a;color:#ffffff;text-decoration:none;border-radius:6px\">").Append(Encode(link)).Append("</a></p>\n")
                .Append("<p style=\"font-size:13px;color:#4a5a68;word-break:break-all\">").Append(Encode(url!)).Append("</p>\n");
        }
        foreach (var paragraph in After) Paragraph(html, paragraph);
        html.Append("<p style=\"margin:24px 0 0;font-size:13px;color:#4a5a68\">").Append(Encode(foot)).Append("</p>\n</div>\n</body></html>\n");
        return new($"{Subject} – {clinic}", text.ToString(), html.ToString());
    }

    private static void Paragraph(StringBuilder html, string text) => html.Append("<p>").Append(Encode(text)).Append("</p>\n");

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}

using System.Text;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Mail;
using Chaperone.Clinic.Mail.Smtp;

namespace Chaperone.Clinic.Tests.Mail;

/// <summary>What mails say, and how messages are written.</summary>
public sealed class MailTextTests
{
    private static readonly MailFacts Facts = new("/reset/TOKEN", new(2026, 11, 21, 9, 30, 0, TimeSpan.Zero), "blink/windows", new(2026, 11, 28, 9, 30, 0, TimeSpan.Zero));

    [Fact]
    public void No_mail_says_anything_of_a_patient_or_names_anybody()
    {
        // Words of the clinic's records: whatever a mail tells, it tells of accounts.
        var forbidden = new Regex(@"patient|appointment|record\b|clinical|doctor|nurse|diagnos|prescri|result|invoice|payment|NHS|birth|Dear|Hello|\{|\}|@(?!first)", RegexOptions.IgnoreCase, TimeSpan.FromSeconds(5));
        Assert.Equal(13, MailTemplates.All.Count);
        foreach (var template in MailTemplates.All)
        {
            var content = Content(template);
            foreach (var text in new[] { content.Subject, content.Text, content.Html.Replace("<!DOCTYPE html>", "", StringComparison.Ordinal) })
                Assert.True(!forbidden.IsMatch(text), $"{template.Code}: {forbidden.Match(text).Value}");
            Assert.True(content.Subject.Length <= 120 && content.Subject.EndsWith("– Clinic One", StringComparison.Ordinal), template.Code);
            Assert.Contains("first.test", content.Text);
            Assert.DoesNotContain("color", Regex.Replace(content.Html, "<[^>]*>", ""), StringComparison.Ordinal);   // British where people read it
            Assert.All(Regex.Matches(content.Text + content.Html, @"https?://[^/\s""<]+").Select(link => link.Value), host => Assert.Equal("https://first.test", host));
            Assert.DoesNotMatch(@"<(img|script|link|iframe|form)\b|url\(", content.Html);
        }
    }

    [Fact]
    public void Only_mails_that_hold_a_token_may_lead_to_one()
    {
        Assert.Equal(["invite", "password_reset"], MailTemplates.All.Where(template => template.HoldsToken).Select(template => template.Code));
        Assert.Equal(MailTemplates.All.Count, MailTemplates.All.Select(template => template.Code).Distinct().Count());
    }

    [Fact]
    public void A_clinics_name_can_be_no_markup_no_header_and_no_second_recipient()
    {
        const string Name = "Evil\r\nBcc: eve@evil.test\r\n\r\n<script>alert(1)</script> \"&'";
        var content = MailTemplates.Invite.Words(Facts, "Europe/London").Of(Name, "first.test", "https://first.test/reset/\"><b>");
        Assert.DoesNotContain("<script", content.Html, StringComparison.Ordinal);
        Assert.DoesNotContain("\"><b>", content.Html, StringComparison.Ordinal);
        var raw = Encoding.UTF8.GetString(MessageText.Write(new("1@first.test", Name, "clinic@first.test", "nora@example.org", Facts.At!.Value, content)).Span);
        var headers = raw[..raw.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Split("\r\n");
        Assert.Equal(["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"], headers.Where(line => line[0] != ' ').Select(line => line.Split(':')[0]));
        Assert.All(raw.Split("\r\n"), line => Assert.True(line.Length <= 200 && Ascii.IsValid(line), line));
        Assert.DoesNotContain("evil", raw, StringComparison.OrdinalIgnoreCase);   // it is there, encoded
        Assert.Throws<InvalidOperationException>(() => MessageText.Write(new("1@first.test", "Clinic", "clinic@first.test>\r\nBcc: <eve@evil.test", "nora@example.org", Facts.At!.Value, content)));
    }

    [Theory]
    [InlineData("Nora's clinic - east", "Nora's clinic - east")]
    [InlineData("=?utf-8?B?eHh4?=", "=?utf-8?B?PT91dGYtOD9CP2VIaDQ/PQ==?=")]
    [InlineData("a, b <c@d>", "=?utf-8?B?YSwgYiA8Y0BkPg==?=")]
    public void Header_words_are_plain_or_encoded(string words, string written) => Assert.Equal(written, MessageText.Words(words));

    [Fact]
    public void Encoded_words_are_short_enough_and_part_no_letter()
    {
        var text = string.Concat(Enumerable.Repeat("ä€𝄞", 60));
        var words = MessageText.Words(text).Split("\r\n ");
        Assert.All(words, word => Assert.True(word.Length <= 75, word));
        Assert.Equal(text, string.Concat(words.Select(word => new UTF8Encoding(false, true).GetString(Convert.FromBase64String(word[10..^2])))));
    }

    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData("a\r\n.b\r\n..\r\nc.", "a\r\n..b\r\n...\r\nc.\r\n.\r\n")]
    public void Lines_that_begin_with_a_dot_get_another(string message, string stuffed) =>
        Assert.Equal(stuffed, Encoding.ASCII.GetString(SmtpWire.Stuffed(Encoding.ASCII.GetBytes(message)).Span));

    [Fact]
    public void Waiting_grows_to_four_hours_and_is_never_the_same()
    {
        Assert.InRange(MailLimits.WaitAfter(1), TimeSpan.FromSeconds(48), TimeSpan.FromSeconds(72));
        Assert.InRange(MailLimits.WaitAfter(5), TimeSpan.FromMinutes(12.8), TimeSpan.FromMinutes(19.2));
        Assert.InRange(MailLimits.WaitAfter(30), TimeSpan.FromHours(3.2), TimeSpan.FromHours(4.8));
        Assert.True(Enumerable.Range(0, 20).Select(_ => MailLimits.WaitAfter(9)).Distinct().Count() > 1);
        // All attempts together end within the day after which mail is of no use.
        Assert.True(Enumerable.Range(1, MailLimits.Attempts - 1).Sum(attempt => Math.Min(Math.Pow(2, attempt - 1), 240)) / 60 < 24);
    }

    private static MailContent Content(MailTemplate template) => template.Words(Facts, "Europe/London").Of("Clinic One", "first.test", "https://first.test" + Facts.Path);
}

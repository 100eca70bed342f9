using Chaperone.Clinic.Shell.Pdf;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>What a report's cover says of the log it is from: whether it verified, and which signed checkpoint stands for it.</summary>
internal static class PdfEvidence
{
    public static async Task WriteAsync(PdfReport pdf, LogIntegrity integrity, SignedHead? signed, TimeZoneInfo zone, CancellationToken cancel)
    {
        await pdf.HeadingAsync("Is the log intact?", cancel);
        await pdf.ParagraphAsync(Statement(integrity, zone), cancel);
        if (signed is null)
        {
            await pdf.ParagraphAsync("Nothing of this log is signed yet.", cancel);
        }
        else
        {
            await pdf.ParagraphAsync($"The signed checkpoint below stands for the first {AuditText.Number(signed.Head.Size)} events. A log that was written anew cannot continue it, and chaperone-verify --checkpoint shows that.", cancel);
            foreach (var line in signed.Note.Split('\n', StringSplitOptions.RemoveEmptyEntries)) await pdf.ParagraphAsync(line, cancel);
            await pdf.FactAsync("The log's key", signed.Key, cancel);
        }
        await pdf.HeadingAsync("How names are written here", cancel);
        await pdf.ParagraphAsync("In Latin letters. Marks that the font lacks are left out, and each letter of another script is a question mark; the JSON file of the same view has every name as it is.", cancel);
    }

    /// <summary>The result of the last verification in a sentence.</summary>
    public static string Statement(LogIntegrity integrity, TimeZoneInfo zone) => integrity switch
    {
        { State: LogIntegrity.Verified, From: > 0, VerifiedTo: { } to } => $"Yes, as far as it was read. The last verification, on {AuditText.Time(integrity.At!.Value, zone)}, read what was new, from index {AuditText.Number(integrity.From)} to {AuditText.Number(to)}, and found it as it was signed and continuing what was verified before. "
            + (integrity.Whole is { } whole ? $"The whole log was last read on {AuditText.Time(whole.At, zone)}, and each of its {AuditText.Number(whole.Size)} events was as it was signed." : "The whole log was not read since the server started."),
        { State: LogIntegrity.Verified, VerifiedTo: { } to } => $"Yes. The last verification, on {AuditText.Time(integrity.At!.Value, zone)}, read every event up to index {AuditText.Number(to)} again and found each as it was signed.",
        { State: LogIntegrity.Verified } => $"Yes. The last verification, on {AuditText.Time(integrity.At!.Value, zone)}, found nothing sequenced yet.",
        { State: LogIntegrity.Failed } => $"NO. The last verification found that the log is not what was signed: {integrity.What}",
        _ => "Not known yet: the first verification since the server started has not ended.",
    };
}

using Chaperone.Clinic.AuditLog;
using Chaperone.Clinic.Shell.Pdf;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Compliance;

/// <summary>The controls as a report to hand over: nobody's data, only numbers.</summary>
internal static class ComplianceReport
{
    public static async Task WriteAsync(ComplianceView view, OperationScope scope, LogIntegrity integrity, SignedHead? signed, Stream to, CancellationToken cancel)
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById(scope.Tenant.Zone);
        var pdf = new PdfReport(to, $"Compliance - {scope.Tenant.Name}");
        foreach (var framework in view.Frameworks)
        {
            await pdf.TitleAsync(framework.Name, cancel);
            await pdf.ParagraphAsync($"{framework.Title}. {framework.Note}", cancel);
            foreach (var control in framework.Controls)
            {
                await pdf.HeadingAsync($"{control.Number}: {Frameworks.Words(control.Coverage)}", cancel);
                await pdf.FactAsync("Asked", control.Asks, cancel);
                await pdf.FactAsync("Chaperone", control.Does, cancel);
                if (control.Missing is { } missing) await pdf.FactAsync("Missing", missing, cancel);
                foreach (var yours in control.Yours) await pdf.FactAsync("Yours to do", yours, cancel);
                var shown = view.ShownFor(control).ToList();
                if (shown.Count > 0) await pdf.FactAsync("Events", string.Join(", ", shown.Select(each => $"{each.Label} {each.Number}")), cancel);
                foreach (var test in control.Tests) await pdf.FactAsync("Test", $"{Frameworks.Short(test)}: {Standing(view.Tests, test, zone)}", cancel);
            }
        }
        await pdf.BeginCoverAsync(cancel);
        await pdf.TitleAsync("What Chaperone does about the rules", cancel);
        await pdf.FactAsync("Clinic", $"{scope.Tenant.Name} ({scope.Tenant.Host})", cancel);
        await pdf.FactAsync("Made", $"{AuditText.Time(scope.Now, zone)} ({scope.Tenant.Zone})", cancel);
        await pdf.FactAsync("Events", $"counted in this clinic's log since {view.Since:d MMM yyyy}, each sort to {AuditText.Number(ComplianceView.MostCounted)} (then +)", cancel);
        await pdf.FactAsync("Tests", Ran(view.Tests, zone), cancel);
        await pdf.ParagraphAsync(Frameworks.Preamble, cancel);
        await pdf.BeginTableAsync([new("Rules", 30), .. Enum.GetValues<Coverage>().Select(coverage => new PdfColumn(Frameworks.Words(coverage), 17))], cancel);
        foreach (var framework in view.Frameworks)
            await pdf.RowAsync([framework.Name, .. Enum.GetValues<Coverage>().Select(coverage => AuditText.Number(framework.Controls.Count(control => control.Coverage == coverage)))], cancel);
        await PdfEvidence.WriteAsync(pdf, integrity, signed, zone, cancel);
        await pdf.FinishAsync(cancel);
    }

    /// <summary>Whether and when the tests ran, in a sentence.</summary>
    public static string Ran(TestState tests, TimeZoneInfo zone) => tests.Runs is not { } runs ? tests.Why!
        : $"Last run {AuditText.Time(runs.Run.At, zone)}, {runs.Run.On}: {AuditText.Number(runs.Passed)} passed, {AuditText.Number(runs.Failed)} failed{(tests.IsOfOtherSources(runs.Run) ? ", on other sources than this program’s" : tests.Sources is null ? "" : ", on this program’s sources")}.";

    /// <summary>When a test last passed, in words.</summary>
    public static string Standing(TestState tests, string test, TimeZoneInfo zone) => tests.Of(test) switch
    {
        null => "no result here",
        { Failed: { } failed } standing => $"FAILED {AuditText.Time(failed.At, zone)}, {failed.On}{(standing.Passed is { } before ? $"; passed {AuditText.Time(before.At, zone)}, {before.On}" : "; never passed here")}",
        { Passed: { } passed } => $"passed {AuditText.Time(passed.At, zone)}, {passed.On}{(tests.IsOfOtherSources(passed) ? ", other sources than this program’s" : "")}",
        _ => "never passed here",
    };
}

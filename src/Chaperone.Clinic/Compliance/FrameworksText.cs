using System.Globalization;
using System.Text;
using Chaperone.Ledger;

namespace Chaperone.Clinic.Compliance;

/// <summary>The controls as the page <c>docs/compliance.md</c>.</summary>
internal static class FrameworksText
{
    public static string Markdown()
    {
        var text = new StringBuilder(
            $"""
            # Compliance

            Generated from `src/Chaperone.Clinic/Compliance`; a test fails when it is stale, when an event named here is written by nothing, or when a test named here does not exist.
            {Frameworks.Preamble}
            In the product: Settings › Security › Compliance, with the events of the clinic's own log and the time each test last passed.

            """);
        text.Append("\n| rules |");
        foreach (var coverage in Enum.GetValues<Coverage>()) text.Append(CultureInfo.InvariantCulture, $" {Frameworks.Words(coverage).ToLowerInvariant()} |");
        text.Append("\n|---|---|---|---|---|\n");
        foreach (var framework in Frameworks.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {framework.Name} |");
            foreach (var coverage in Enum.GetValues<Coverage>()) text.Append(CultureInfo.InvariantCulture, $" {framework.Controls.Count(control => control.Coverage == coverage)} |");
            text.Append('\n');
        }
        foreach (var framework in Frameworks.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {framework.Name}\n{framework.Title}. {framework.Note}\n");
            foreach (var control in framework.Controls) Write(text, control);
        }
        return text.ToString();
    }

    private static void Write(StringBuilder text, Control control)
    {
        text.Append(CultureInfo.InvariantCulture, $"\n### {control.Number}\n*{control.Asks}*\n\n**{Frameworks.Words(control.Coverage)}.** {control.Does}\n");
        if (control.Missing is { } missing) text.Append(CultureInfo.InvariantCulture, $"- Missing: {missing}\n");
        foreach (var yours in control.Yours) text.Append(CultureInfo.InvariantCulture, $"- Yours to do: {yours}\n");
        string[] events = [.. control.Categories.Select(category => $"every event of the category {EventJson.Name(category)}"), .. control.Events.Select(action => $"`{action}`"), .. control.Refusals ? ["every event with the outcome denied"] : Array.Empty<string>()];
        if (events.Length > 0) text.Append(CultureInfo.InvariantCulture, $"- Events: {string.Join(", ", events)}\n");
        foreach (var test in control.Tests) text.Append(CultureInfo.InvariantCulture, $"- Test: `{test}`\n");
    }
}

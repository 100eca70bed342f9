using System.Globalization;
using System.Text;
using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>The catalogue as the page <c>docs/events.md</c>.</summary>
internal static class EventCatalogueText
{
    public static string Markdown()
    {
        var text = new StringBuilder(
            """
            # Events

            Generated from `src/Chaperone.Platform/Ledger/EventCatalogue.List.cs`; a test fails when it is stale. An action is never renamed or reused.
            An event names who, what, when, from where, by which path and under which decision; never a name and never content.
            Kept says how long the body can be read. The entry in the tree stays for good, so the log verifies after that too.

            """);
        foreach (var category in EventCatalogue.All.GroupBy(type => type.Category).OrderBy(group => group.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"\n## {EventJson.Name(category.Key)}\n\n| action | severity | kept | what happened |\n|---|---|---|---|\n");
            foreach (var type in category)
                text.Append(CultureInfo.InvariantCulture, $"| `{type.Action}` | {EventJson.Name(type.Severity)} | {Name(type.Retention)} | {type.Sentence} |\n");
        }
        return text.ToString();
    }

    private static string Name(Retention retention) => retention switch
    {
        Retention.Days30 => "30 days",
        Retention.Years2 => "2 years",
        Retention.Years7 => "7 years",
        _ => "for good",
    };
}

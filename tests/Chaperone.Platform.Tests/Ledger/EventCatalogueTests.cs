using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Platform.Tests.Ledger;

public sealed class EventCatalogueTests
{
    [Fact]
    public void Actions_are_unique_dotted_and_described()
    {
        Assert.Equal(EventCatalogue.All.Count, EventCatalogue.All.DistinctBy(type => type.Action).Count());
        Assert.All(EventCatalogue.All, type => Assert.Matches("^[a-z]+(\\.[a-z0-9_]+)+$", type.Action));
        Assert.All(EventCatalogue.All, type => Assert.EndsWith(".", type.Sentence, StringComparison.Ordinal));
        Assert.Throws<KeyNotFoundException>(() => EventCatalogue.Find("patient.imagined"));
    }

    [Fact]
    public void Payments_exports_and_the_ledgers_own_are_kept_seven_years_or_for_good()
    {
        Assert.Equal(Retention.Forever, EventCatalogue.Find(EventJson.ExpiredAction).Retention);
        Assert.All(EventCatalogue.All.Where(type => type.Category == EventCategory.Payment || type.Action.StartsWith("ledger.", StringComparison.Ordinal) || type.Action.Contains("export", StringComparison.Ordinal)),
            type => Assert.True(type.Retention >= Retention.Years7, type.Action));
    }

    [Fact]
    public void What_is_written_is_kept_for_a_year_at_least() =>
        Assert.Equal(["system.error"], EventCatalogue.All.Where(type => type.ExpiresOn(DateTimeOffset.UnixEpoch) < new DateOnly(1971, 1, 1)).Select(type => type.Action));

    /// <summary>With CHAPERONE_WRITE_DOCS=1 in the environment it writes the page instead.</summary>
    [Fact]
    public void The_page_in_the_docs_is_this_catalogue()
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "Chaperone.slnx"))) root = Path.GetDirectoryName(root)!;
        var page = Path.Combine(root, "docs", "events.md");
        if (Environment.GetEnvironmentVariable("CHAPERONE_WRITE_DOCS") == "1") File.WriteAllText(page, EventCatalogueText.Markdown());
        Assert.Equal(EventCatalogueText.Markdown(), File.Exists(page) ? File.ReadAllText(page) : "missing");
    }
}

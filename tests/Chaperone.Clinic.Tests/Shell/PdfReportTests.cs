using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Chaperone.Clinic.Shell.Pdf;

namespace Chaperone.Clinic.Tests.Shell;

public sealed class PdfReportTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cover_comes_first_tables_go_over_pages_and_every_object_is_where_the_table_says()
    {
        var text = await WriteAsync(async pdf =>
        {
            await pdf.HeadingAsync("Rows", Cancel);
            await pdf.BeginTableAsync([new("Number", 1), new("What", 3)], Cancel);
            for (var i = 0; i < 200; i++) await pdf.RowAsync([$"row {i}", string.Concat(Enumerable.Repeat("many words ", i % 30))], Cancel);
            await pdf.BeginCoverAsync(Cancel);
            await pdf.TitleAsync("The cover", Cancel);
            await pdf.FactAsync("Fact", "stands beside", Cancel);
        });

        var kids = Regex.Match(text, @"/Kids \[([^\]]*)\]").Groups[1].Value.Split(" 0 R", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var pages = kids.Select(kid => Stream(text, int.Parse(Regex.Match(Object(text, int.Parse(kid, CultureInfo.InvariantCulture)), @"/Contents (\d+) 0 R").Groups[1].Value, CultureInfo.InvariantCulture))).ToList();
        Assert.InRange(pages.Count, 4, 40);
        Assert.Contains($"/Count {pages.Count} ", text, StringComparison.Ordinal);
        Assert.Contains("(The cover)", pages[0], StringComparison.Ordinal);
        Assert.All(pages.Skip(1), page => Assert.Contains("(Number)", page, StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, 200), pages.Skip(1).SelectMany(page => Regex.Matches(page, @"\(row (\d+)\)")).Select(found => int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)));
        Assert.All(pages.SelectMany(page => Regex.Matches(page, @"Tf [\d.]+ ([-\d.]+) Td")), found => Assert.InRange(double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture), 20, 800));
    }

    [Theory]
    [InlineData("Plain (text) \\ 1", "(Plain \\(text\\) \\\\ 1)"), InlineData("Zoë Müller–Łukasz", "(Zo\\353 M\\374ller\\226Lukasz)"), InlineData("Őry ﬁne", "(Ory fine)")]
    [InlineData("Жанна", "(?????)"), InlineData("李雷", "(??)"), InlineData("👩‍⚕️ x", "(?? x)"), InlineData("a\u202eb\u0000c\nd", "(abc d)"), InlineData("“€5”", "(\\223\\2005\\224)")]
    public async Task Letters_are_shown_as_the_font_can(string text, string shown) =>
        Assert.Contains(shown, await WriteAsync(pdf => pdf.ParagraphAsync(text, Cancel).AsTask()), StringComparison.Ordinal);

    [Fact]
    public async Task Words_wider_than_their_column_are_cut_and_nothing_is_lost()
    {
        var id = string.Concat(Enumerable.Range(0, 60).Select(i => (char)('a' + (i % 26))));
        var text = await WriteAsync(async pdf =>
        {
            await pdf.BeginTableAsync([new("A", 1), new("B", 9)], Cancel);
            await pdf.RowAsync([id, "x"], Cancel);
        });
        Assert.Equal(id, string.Concat(Regex.Matches(text, @"/F1 8 Tf 50 \S+ Td \(([a-z]+)\)").Select(found => found.Groups[1].Value)));
    }

    private static async Task<string> WriteAsync(Func<PdfReport, Task> write)
    {
        using var file = new MemoryStream();
        var pdf = new PdfReport(file, "A title");
        await write(pdf);
        await pdf.FinishAsync(Cancel);
        var text = Encoding.Latin1.GetString(file.ToArray());

        var start = int.Parse(Regex.Match(text, @"startxref\n(\d+)\n%%EOF\n$").Groups[1].Value, CultureInfo.InvariantCulture);
        Assert.StartsWith("xref\n0 ", text[start..], StringComparison.Ordinal);
        var places = Regex.Matches(text[start..], @"^(\d{10}) 00000 n $", RegexOptions.Multiline).Select(found => int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
        for (var i = 0; i < places.Count; i++) Assert.StartsWith($"{i + 1} 0 obj\n", text[places[i]..], StringComparison.Ordinal);
        Assert.Contains($"/Size {places.Count + 1} /Root 1 0 R", text, StringComparison.Ordinal);
        return text;
    }

    private static string Object(string text, int number) => Regex.Match(text, $@"^{number} 0 obj\n(.*?)\nendobj", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value;

    private static string Stream(string text, int number)
    {
        var found = Regex.Match(Object(text, number), @"/Length (\d+) >>\nstream\n(.*)endstream$", RegexOptions.Singleline);
        Assert.Equal(int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture), found.Groups[2].Length);
        return found.Groups[2].Value;
    }
}

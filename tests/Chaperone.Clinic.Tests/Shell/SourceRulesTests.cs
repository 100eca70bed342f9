using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Chaperone.Clinic.Tests.Shell;

/// <summary>Rules that hold for the source of every component, as the page's policy would silently break what ignores them.</summary>
public sealed partial class SourceRulesTests
{
    private static readonly string src = Path.Combine(Here(), "../../../src");

    public static TheoryData<string> Components => new(Directory.EnumerateFiles(src, "*.razor", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal)).Select(file => Path.GetRelativePath(src, file)));

    [Theory, MemberData(nameof(Components))]
    public void Components_have_no_inline_script_or_style(string file)
    {
        var source = File.ReadAllText(Path.Combine(src, file));
        Assert.DoesNotMatch(StyleAttribute(), source);
        Assert.DoesNotMatch(EventAttribute(), source);
        Assert.DoesNotMatch(InlineScript(), source);
        Assert.DoesNotContain("<style", source, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("javascript:", source, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("MarkupString", source, StringComparison.Ordinal);
        Assert.DoesNotContain("AddMarkupContent", source, StringComparison.Ordinal);
        Assert.DoesNotContain("@attributes", source, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Components))]
    public void Components_that_post_carry_the_token(string file)
    {
        var source = File.ReadAllText(Path.Combine(src, file));
        foreach (Match form in PostForm().Matches(source)) Assert.Contains("<Token />", form.Value, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Components))]
    public void Components_use_icons_the_sprite_has(string file)
    {
        var known = JsonSerializer.Deserialize<HashSet<string>>(File.ReadAllText(Path.Combine(src, "Chaperone.Server/Assets/icons.json")))!;
        var source = File.ReadAllText(Path.Combine(src, file));
        foreach (Match icon in IconName().Matches(source)) Assert.Contains(icon.Groups[1].Value, known);
    }

    [Fact]
    public void Lock_file_names_no_registry() =>
        Assert.DoesNotContain("\"resolved\"", File.ReadAllText(Path.Combine(src, "Chaperone.Server/Assets/package-lock.json")), StringComparison.Ordinal);

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;

    [GeneratedRegex(@"<[^@>]*\sstyle\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex StyleAttribute();

    [GeneratedRegex(@"<[a-z][^>]*\s@?on(click|change|input|submit|load|error|key\w+|focus|blur|mouse\w+)\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex EventAttribute();

    [GeneratedRegex(@"<script(?![^>]*\ssrc=)", RegexOptions.IgnoreCase)]
    private static partial Regex InlineScript();

    [GeneratedRegex("<form[^>]*method=\"post\".*?</form>", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex PostForm();

    [GeneratedRegex("(?:<Icon Name|\\sIcon)=\"([a-z0-9-]+)\"")]
    private static partial Regex IconName();
}

using System.Diagnostics;
using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Chaperone.Encryption.Tests;

public class FindingPeopleTests
{
    private readonly BlindIndexKey index = new(1, 1, Enumerable.Repeat((byte)7, 32).ToArray());

    [Theory]
    [InlineData("Margaret", "margaret")]
    [InlineData("  Anne   Marie ", "anne marie")]
    [InlineData("O'Brien", "obrien o brien")]
    [InlineData("O’Brien", "obrien o brien")]
    [InlineData("O´Brien", "obrien o brien")]
    [InlineData("Smith-O'Brien", "smithobrien smith obrien o brien")]
    [InlineData("Jean‑Luc", "jeanluc jean luc")]
    [InlineData("Müller", "muller")]
    [InlineData("Mu\u0308ller", "muller")]
    [InlineData("GROẞ Groß", "gross")]
    [InlineData("Łukasz Żółć", "lukasz zolc")]
    [InlineData("Søren Ærø Œuvre", "soren aero oeuvre")]
    [InlineData("Đặng Þór Ðuro", "dang thor duro")]
    [InlineData("YILDIZ Yıldız İnci", "yildiz inci")]
    [InlineData("Αλέξανδρος ΑΛΕΞΑΝΔΡΟΣ", "αλεξανδροσ")]
    [InlineData("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width")]
    [InlineData("ﬁona", "fiona")]
    [InlineData("Иван Йо́тов", "иван иотов")]
    [InlineData("أحمد", "احمد")]
    [InlineData("محـــمد", "محمد")]
    [InlineData("שָׁלוֹם", "שלום")]
    [InlineData("王小明", "王小明")]
    [InlineData("Henry ٣", "henry 3")]
    [InlineData("Anna\u200F\u00AD\u200Dbel", "annabel")]
    [InlineData("Anna😀Bell", "anna bell")]
    [InlineData("J.R. Ewing", "j r ewing")]
    [InlineData("😀", "")]
    [InlineData("", "")]
    [InlineData("--- ''", "")]
    [InlineData("ab\uD800cd", "ab cd")]
    public void Names_are_normalised(string name, string tokens) => Assert.Equal(tokens, string.Join(' ', NameText.Tokens(name)));

    [Theory]
    [InlineData("07700 900123", "447700900123")]
    [InlineData("+44 7700 900123", "447700900123")]
    [InlineData("+44 (0)7700 900123", "447700900123")]
    [InlineData("(+44) 7700-900-123", "447700900123")]
    [InlineData("0044 7700 900123", "447700900123")]
    [InlineData("44 7700 900123", "447700900123")]
    [InlineData("tel: 07700 900123 ext. 12", "447700900123")]
    [InlineData("020 7946 0018 #4", "442079460018")]
    [InlineData("+1 555-734-9873", "15557349873")]
    [InlineData("555-734-9873", "5557349873")]
    [InlineData("٠٧٧٠٠٩٠٠١٢٣", "447700900123")]
    [InlineData("none", "")]
    [InlineData("", "")]
    public void Phones_are_normalised(string phone, string expected) => Assert.Equal(expected, Normaliser.Phone(phone));

    [Fact]
    public void Other_values_are_normalised()
    {
        Assert.Equal("ann@example.org", Normaliser.Email(" Ann@Example.ORG "));
        Assert.Equal("a\uFFFDb", Normaliser.Email("A\uD800B"));
        Assert.Equal("9434765919", Normaliser.Digits("943 476 5919"));
        Assert.Equal("1987-03-09", Normaliser.Date(new DateOnly(1987, 3, 9)));
        Assert.Equal("mary obrien", Normaliser.Name(" Mary  O'BRIEN"));
    }

    [Fact]
    public void Dates_are_the_same_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("ar-SA");
            Assert.Equal("1987-03-09", Normaliser.Date(new DateOnly(1987, 3, 9)));
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
            Assert.Equal("iris", NameText.Tokens("IRIS").Single());
            Assert.Equal("i@x", Normaliser.Email("I@X"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Tokens_have_their_lengths_and_differ_by_key()
    {
        using var other = new BlindIndexKey(1, 1, Enumerable.Repeat((byte)8, 32).ToArray());
        Assert.Equal(16, index.Exact("x").Length);
        Assert.All(index.NameTokens("Margaret"), t => Assert.Equal(8, t.Length));
        Assert.Equal(5, index.NameTokens("Margaret").Count); // mar marg marga margar margaret
        Assert.Single(index.NameTokens("Jo"));
        Assert.Empty(index.NameTokens("😀"));
        Assert.Null(index.QueryToken(" 😀 "));
        Assert.Empty(index.QueryTokens(" 😀 "));
        Assert.Throws<ArgumentException>(() => index.Exact(""));
        Assert.NotEqual(index.Exact("x"), other.Exact("x"));
        other.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.Exact("x"));
    }

    public static TheoryData<string> Names => [
        "Margaret Thatcher-Smith", "Seán Ó'Brien", "D'Arcy-O’Connor Æthelred", "Jean‑Luc-Marie Groß", "Đặng Thị Ngọc", "Владимир Иванов", "أحمد عبد الرحمن", "王小明 歐陽娜娜", "김철수 박지민",
        "प्रियंका शर्मा", "ﬁona Ｗｉｄｅ", "𝒜𝓃𝓃𝒶 𐐔𐐯𐐨𐐰", "Anna😀Bell 'Umar", "Zażółć-Gęślą Jaźń", "Yıldız İnci ΑΛΈΞΑΝΔΡΟΣ", "'; DROP TABLE patient; --", "<script>alert(1)</script>"];

    [Theory, MemberData(nameof(Names))]
    public void Any_beginning_of_three_letters_or_more_finds(string name) => Assert.True(EveryBeginningFinds(name));

    [Fact]
    public void Any_beginning_of_three_letters_or_more_finds_whatever_the_name() =>
        Prop.ForAll<NonNull<string>>(name => EveryBeginningFinds(name.Get)).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void What_matches_is_found_by_the_index()
    {
        var text = Gen.Elements('a', 'b', 'c', 'é', '\'', '-', ' ', 'ß').ArrayOf(14).Select(c => new string(c)).ToArbitrary();
        var typed = Gen.Elements('a', 'b', 'c', 'é', '\'', '-', 'ß').ArrayOf(5).Select(c => new string(c)).ToArbitrary();
        Prop.ForAll(text, typed, (name, word) =>
            !NameMatch.Matches(name, word)
            || NameText.Words(word).SelectMany(parts => parts).Any(part => part.Length < 3)
            || Found(name, word)).Check(Config.QuickThrowOnFailure.WithMaxTest(5000));
    }

    [Theory]
    [InlineData("Mary O'Brien", "obrien", true)]
    [InlineData("Mary O'Brien", "O'B", true)]
    [InlineData("Mary O Brien", "O'Brien", true)]
    [InlineData("Mary OBrien", "o'brien", true)]
    [InlineData("Smith-O'Brien", "obri", true)]
    [InlineData("Mary O'Brien", "bri mar", true)]
    [InlineData("Mary O'Brien", "mary b", true)]
    [InlineData("Mary O'Brien", "mary x", false)]
    [InlineData("Christopher", "christine", false)]
    [InlineData("Christopher", "christ", true)]
    [InlineData("Anna", "", false)]
    [InlineData("Anna", "😀", false)]
    public void Names_match_as_people_expect(string name, string typed, bool matches)
    {
        Assert.Equal(matches, NameMatch.Matches(name, typed));
        if (matches) Assert.True(Found(name, typed));
    }

    [Fact]
    public void Short_words_find_names_that_short_and_never_hide_longer_ones()
    {
        Assert.True(Found("Jo Li", "Li"));
        Assert.False(Found("Lilian", "Li"));
        Assert.True(Found("John Smith", "john s"));
        Assert.True(Found("Bo Li", "bo li"));
    }

    [Fact]
    public void Whole_words_tell_long_names_with_the_same_beginning_apart()
    {
        var christopher = index.NameTokens("Christopher").Select(Convert.ToHexString).ToHashSet();
        Assert.Contains(Convert.ToHexString(index.QueryTokens("Christine")[0][0]), christopher);
        Assert.DoesNotContain(Convert.ToHexString(index.QueryTokens("Christine", wholeWords: true)[0][0]), christopher);
        Assert.Contains(Convert.ToHexString(index.QueryTokens("Christopher", wholeWords: true)[0][0]), christopher);
    }

    [Theory]
    [InlineData("a")]
    [InlineData("a-")]
    [InlineData("ab ")]
    [InlineData("\uFDFA")] // one character, eighteen in NFKD
    [InlineData("e\u0301\u0302\u0303")]
    [InlineData("😀")]
    [InlineData("\uD800")]
    public void Ten_thousand_characters_are_bounded_work(string piece)
    {
        var name = string.Concat(Enumerable.Repeat(piece, 10_000));
        index.NameTokens(name);
        var started = Stopwatch.GetTimestamp();
        Assert.True(index.NameTokens(name).Count <= NameText.MostTokens * 5);
        Assert.True(index.QueryTokens(name).Count <= NameText.MostTokens);
        NameMatch.Matches(name, name);
        Normaliser.Phone(name);
        Normaliser.Email(name);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5)); // milliseconds; unbounded work would take minutes
    }

    private bool EveryBeginningFinds(string name)
    {
        foreach (var word in name.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
        {
            var typed = new StringBuilder();
            foreach (var rune in word.EnumerateRunes())
            {
                typed.Append(rune.ToString());
                var words = NameText.Words(typed.ToString());
                if (words.Count != 1 || NameText.Count(NameText.Join(words[0], 0)) < 3) continue;
                if (!NameMatch.Matches(name, typed.ToString()) || !Found(name, typed.ToString())) return false;
            }
        }
        return true;
    }

    private bool Found(string name, string typed)
    {
        var stored = index.NameTokens(name).Select(Convert.ToHexString).ToHashSet();
        var needed = index.QueryTokens(typed);
        return needed.Count > 0 && needed.All(any => any.Any(token => stored.Contains(Convert.ToHexString(token))));
    }
}

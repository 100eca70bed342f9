namespace Chaperone.Clinic.Shell;

/// <summary>What every page needs to know of the request it answers, besides its own model. Built once per request, before the page is rendered.</summary>
/// <remarks>It carries no rights: <see cref="Nav"/> lists what the person may use, and the monitor decides whether they may.</remarks>
public sealed record PageContext
{
    /// <summary>The clinic's name as people know it.</summary>
    public required string ClinicName { get; init; }

    /// <summary>The clinic's host name, shown where several clinics could be confused.</summary>
    public required string Host { get; init; }

    /// <summary>The clinic's logo, or null for none.</summary>
    public string? LogoHref { get; init; }

    /// <summary>Where the clinic's contacts stand, or null for a stranger.</summary>
    public string? ContactsHref { get; init; }

    /// <summary>The request's path, without query.</summary>
    public required string Path { get; init; }

    /// <summary>The request's antiforgery token, posted by every form in the field <see cref="Shell.Token.FieldName"/>.</summary>
    public required string Token { get; init; }

    /// <summary>The nonce of this response's <c>style-src</c>, which Turbo needs for its one style element.</summary>
    public required string Nonce { get; init; }

    /// <summary>The names under which scripts, styles and icons are served.</summary>
    public required AssetManifest Assets { get; init; }

    /// <summary>Who is signed in, or null for a stranger.</summary>
    public SignedInPerson? Person { get; init; }

    /// <summary>The places this person may go and what they may do, in order; <see cref="NavItem.Active"/> marks where they are.</summary>
    public IReadOnlyList<NavItem> Nav { get; init; } = [];

    /// <summary>Messages of the request before (after a redirect) and of this one, oldest first.</summary>
    public IReadOnlyList<FlashMessage> Messages { get; init; } = [];

    /// <summary>What must be said on every page about the log, or null when it verifies.</summary>
    public IntegrityNotice? Integrity { get; init; }

    /// <summary>Where patients are found ("/" leads there), or null for who may not.</summary>
    public string? FindHref { get; init; }

    /// <summary>Where the person's own account is kept, linked from their menu.</summary>
    public string AccountHref { get; init; } = "/account";

    /// <summary>Where signing out posts to.</summary>
    public string SignOutHref { get; init; } = "/sign-out";

    /// <summary>Whether nobody is signed in.</summary>
    public bool IsAnonymous => Person is null;
}

/// <summary>The signed-in person as the top bar shows them.</summary>
/// <param name="Name">Display name.</param>
/// <param name="Email">Sign-in address.</param>
/// <param name="Roles">Names of their roles as shown to people ("Doctor").</param>
public sealed record SignedInPerson(string Name, string Email, IReadOnlyList<string> Roles)
{
    /// <summary>One or two letters standing for the name.</summary>
    public string Initials
    {
        get
        {
            var words = Name.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var letters = words.Length switch { 0 => Email, 1 => words[0], _ => $"{First(words[0])}{First(words[^1])}" };
            return words.Length > 1 ? letters : First(letters);
        }
    }

    private static string First(string word) =>
        word.Length == 0 ? "" : System.Globalization.StringInfo.GetNextTextElement(word).ToUpperInvariant();
}

/// <summary>One place in the side navigation.</summary>
/// <param name="Href">Path it leads to.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Icon">Name of an icon in Assets/icons.json.</param>
/// <param name="Active">Whether the page being shown belongs to it.</param>
/// <param name="Group">Heading above the first item of a group, or null for none.</param>
/// <param name="IsAct">Whether only the command palette offers it.</param>
public sealed record NavItem(string Href, string Label, string Icon, bool Active, string? Group = null, bool IsAct = false);

/// <summary>A message above the page, about what was just done.</summary>
/// <param name="Tone">How it is meant.</param>
/// <param name="Text">One sentence, no markup.</param>
public sealed record FlashMessage(Tone Tone, string Text);

/// <summary>A failed integrity check, told on every page.</summary>
/// <param name="Text">What is wrong, in a sentence.</param>
/// <param name="Href">Where to read more, or null.</param>
public sealed record IntegrityNotice(string Text, string? Href = null);

/// <summary>How something is meant: colours and icons follow it, and the words must say it too.</summary>
public enum Tone
{
    /// <summary>No judgement.</summary>
    Neutral,

    /// <summary>Worth knowing.</summary>
    Info,

    /// <summary>It worked.</summary>
    Success,

    /// <summary>Needs a look.</summary>
    Warning,

    /// <summary>Failed or dangerous.</summary>
    Danger
}

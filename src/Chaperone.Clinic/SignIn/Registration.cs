using Chaperone.Clinic.Shell;

namespace Chaperone.Clinic.SignIn;

/// <summary>A practitioner's entry in a professional register, as they or whoever manages accounts say; nobody asks the register. Shown to patients too: registers are public.</summary>
/// <param name="Body">A code of <see cref="Bodies"/>.</param>
/// <param name="Number">As the register writes it.</param>
/// <param name="Register">What the register is called when <paramref name="Body"/> is <see cref="Other"/>, else null.</param>
/// <remarks>
/// Numbers have the form of the NHS Data Dictionary's GMC reference number (seven digits; since 2024 with an A before them for physician and anaesthesia associates, GMC register),
/// NMC PIN (two digits, a letter, four digits, a letter) and GDC registration number (up to six digits).
/// </remarks>
public sealed record Registration(string Body, string Number, string? Register = null)
{
    /// <summary>A register that is not on the list.</summary>
    public const string Other = "other";

    private const int LongestOther = 40, LongestRegister = 80;

    /// <summary>The registers, with the words people read.</summary>
    public static IReadOnlyList<Choice> Bodies { get; } =
        [new("gmc", "General Medical Council (GMC)"), new("nmc", "Nursing and Midwifery Council (NMC)"), new("gdc", "General Dental Council (GDC)"), new(Other, "Another register")];

    /// <summary>What was typed as an entry, null for none; or the field that is wrong and the sentence about it.</summary>
    public static (Registration? Value, string? Field, string? Fault) Read(string? body, string? number, string? register)
    {
        var text = string.Concat((number ?? "").Where(letter => !char.IsWhiteSpace(letter))).ToUpperInvariant();
        if (string.IsNullOrEmpty(body)) return text.Length > 0 ? (null, "registrationBody", "Choose the register that the number is of.") : default;
        if (body == Other)
        {
            var name = register?.Trim() ?? "";
            if (name.Length is 0 or > LongestRegister || name.Any(char.IsControl)) return (null, "registerName", "Enter what the register is called, at most 80 characters.");
            var typed = number?.Trim() ?? "";
            return typed.Length is 0 or > LongestOther || typed.Any(char.IsControl) ? (null, "registrationNumber", "Enter the number in this register, at most 40 characters.") : (new(Other, typed, name), null, null);
        }
        return body switch
        {
            "gmc" => Is(text.StartsWith('A') ? text[1..] : text, "9999999") ? (new(body, text), null, null) : Wrong("A GMC number has seven digits, such as 7654321."),
            "nmc" => Is(text, "99A9999A") ? (new(body, text), null, null) : Wrong("An NMC PIN is two digits, a letter, four digits and a letter, such as 98I1234E."),
            "gdc" => text.Length is > 0 and <= 6 && text.All(char.IsAsciiDigit) ? (new(body, text), null, null) : Wrong("A GDC number has at most six digits, such as 123456."),
            _ => (null, "registrationBody", "Choose a register from the list."),
        };

        static (Registration?, string?, string?) Wrong(string sentence) => (null, "registrationNumber", sentence);
    }

    /// <inheritdoc/>
    /// <remarks>As people write it: GMC 7654321.</remarks>
    public override string ToString() => $"{Register ?? Body.ToUpperInvariant()} {Number}";

    private static bool Is(string text, string form) => text.Length == form.Length && text.Zip(form).All(pair => pair.Second == '9' ? char.IsAsciiDigit(pair.First) : char.IsAsciiLetterUpper(pair.First));
}

/// <summary>The colours by which the schedule tells people apart; names stand beside them always.</summary>
public static class StaffColour
{
    /// <summary>The palette.</summary>
    public static IReadOnlyList<Choice> All { get; } =
    [
        new("blue", "Blue"), new("azure", "Azure"), new("cyan", "Cyan"), new("teal", "Teal"), new("green", "Green"), new("lime", "Lime"), new("yellow", "Yellow"), new("orange", "Orange"),
        new("red", "Red"), new("pink", "Pink"), new("purple", "Purple"), new("indigo", "Indigo"),
    ];

    /// <summary>The colour of somebody: theirs, or while none is chosen one that is always the same for them.</summary>
    public static string Of(Guid member, string? chosen) => chosen ?? All[member.ToByteArray()[^1] % All.Count].Value;
}

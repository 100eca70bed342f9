using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Compliance;

/// <summary>How far Chaperone does what a control asks. No software is compliant by itself: what a clinic does counts too.</summary>
public enum Coverage
{
    /// <summary>All of what a product can do about it.</summary>
    Covered,

    /// <summary>Some of it; <see cref="Control.Missing"/> says what not.</summary>
    Partly,

    /// <summary>Nothing yet.</summary>
    Not,

    /// <summary>Nothing that software could do: it is the clinic's.</summary>
    Yours,
}

/// <summary>A set of rules that a clinic is held to.</summary>
/// <param name="Code">In addresses and in the API.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Title">What of it is mapped.</param>
/// <param name="Note">What to know before reading on.</param>
/// <param name="Controls">In its own order.</param>
public sealed record Framework(string Code, string Name, string Title, string Note, IReadOnlyList<Control> Controls);

/// <summary>One thing that a framework asks for.</summary>
/// <param name="Number">As the framework has it.</param>
/// <param name="Asks">What it asks for, in our words.</param>
/// <param name="Coverage">How far Chaperone does it.</param>
/// <param name="Does">What Chaperone does about it, in a sentence.</param>
public sealed record Control(string Number, string Asks, Coverage Coverage, string Does)
{
    /// <summary>What of it Chaperone does not do; null when it does all.</summary>
    public string? Missing { get; init; }

    /// <summary>What the clinic has to do itself.</summary>
    public IReadOnlyList<string> Yours { get; init; } = [];

    /// <summary>Actions of the catalogue by which the log shows it. Each is one that the program really writes.</summary>
    public IReadOnlyList<string> Events { get; init; } = [];

    /// <summary>Categories whose every event shows it.</summary>
    public IReadOnlyList<EventCategory> Categories { get; init; } = [];

    /// <summary>Whether every refusal shows it, whatever was refused: such an event has the action that was asked for, and the outcome denied.</summary>
    public bool Refusals { get; init; }

    /// <summary>Tests that would fail if it stopped being so: full name of the class, and method.</summary>
    public IReadOnlyList<string> Tests { get; init; } = [];

    /// <summary>Every action that shows it.</summary>
    public IEnumerable<string> Actions => Events.Concat(Categories.SelectMany(EventCatalogue.ActionsOf)).Distinct();
}

/// <summary>What Chaperone does about the frameworks that clinics are held to: the one source of the page, the report, the API and <c>docs/compliance.md</c>.</summary>
/// <remarks>Tests hold it against the catalogue, the program and the test assemblies: an event nobody writes or a test that is not there fails.</remarks>
internal static partial class Frameworks
{
    private const string Ledger = "Chaperone.Ledger.Tests.", Platform = "Chaperone.Platform.Tests.", Clinic = "Chaperone.Clinic.Tests.", Sealing = "Chaperone.Encryption.Tests.", Product = "Chaperone.Scenarios.";

    /// <summary>All of them, in the order shown.</summary>
    public static IReadOnlyList<Framework> All => [Gdpr, Hipaa, Soc2, Pci];

    /// <summary>What holds for every one of them.</summary>
    public const string Preamble =
        "What Chaperone itself does about each control, which events of the log show it and which tests would fail if it stopped. This is no certificate and no legal advice: a clinic is audited, not a program, and what is the clinic’s own to do is listed with each control.";

    public static Framework? Find(string code) => All.FirstOrDefault(framework => framework.Code == code);

    /// <summary>How far, in words.</summary>
    public static string Words(Coverage coverage) => coverage switch
    {
        Coverage.Covered => "Covered", Coverage.Partly => "Partly covered", Coverage.Not => "Not covered", _ => "Yours to do",
    };

    /// <summary>Class and method of a test, for people.</summary>
    public static string Short(string test) => string.Join('.', test.Split('.')[^2..]);
}

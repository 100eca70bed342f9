using System.Collections.Frozen;
using Chaperone.Ledger;

namespace Chaperone.Platform.Ledger;

/// <summary>How long an event's body is kept after the day it happened. The entry in the tree stays for good.</summary>
public enum Retention
{
    /// <summary>30 days: technical errors.</summary>
    Days30,

    /// <summary>2 years: the ordinary.</summary>
    Years2,

    /// <summary>7 years: payments, the ledger's own, backups, exports, staff and governance.</summary>
    Years7,

    /// <summary>For good: what names expired events.</summary>
    Forever,
}

/// <summary>One kind of event.</summary>
/// <param name="Action">Its stable dotted name, in the past tense.</param>
/// <param name="Category">The part of the clinic's life.</param>
/// <param name="Severity">How much it matters unless the operation says more.</param>
/// <param name="Retention">How long its body is kept.</param>
/// <param name="Sentence">What happened, for the catalogue in the docs and for people who filter by it.</param>
public sealed record EventType(string Action, EventCategory Category, EventSeverity Severity, Retention Retention, string Sentence)
{
    /// <summary>The day from which an event of that time may go; <see cref="DateOnly.MaxValue"/>, which the database reads as infinity, for never.</summary>
    public DateOnly ExpiresOn(DateTimeOffset at)
    {
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        return Retention switch
        {
            Retention.Days30 => day.AddDays(30),
            Retention.Years2 => day.AddYears(2),
            Retention.Years7 => day.AddYears(7),
            _ => DateOnly.MaxValue,
        };
    }
}

/// <summary>Every kind of event there is. An action that is not here cannot be written. Names are never changed or reused: filters, exports and other systems rely on them.</summary>
/// <remarks><c>docs/events.md</c> is generated from this list; a test fails when it is stale.</remarks>
public static partial class EventCatalogue
{
    /// <summary>Every kind, in the order of the docs.</summary>
    public static IReadOnlyList<EventType> All => List;

    /// <summary>Whether there is such an action.</summary>
    public static bool Knows(string action) => Names.ByAction.ContainsKey(action);

    /// <summary>The kind of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none: add it to the catalogue.</exception>
    public static EventType Find(string action) =>
        Names.ByAction.TryGetValue(action, out var type) ? type : throw new KeyNotFoundException($"There is no event '{action}' in the catalogue.");

    /// <summary>The actions of a category, for filters.</summary>
    public static IReadOnlyList<string> ActionsOf(EventCategory category) => [.. List.Where(type => type.Category == category).Select(type => type.Action)];

    // Of its own: static fields of two files of one class have no order.
    private static class Names
    {
        public static readonly FrozenDictionary<string, EventType> ByAction = List.ToFrozenDictionary(type => type.Action, StringComparer.Ordinal);
    }
}

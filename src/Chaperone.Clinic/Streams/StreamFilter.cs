using Chaperone.Ledger;
using Chaperone.Platform.Ledger;

namespace Chaperone.Clinic.Streams;

/// <summary>Which events a stream passes on. What it leaves out counts as done with: the index goes on.</summary>
internal static class StreamFilter
{
    public static bool IsAll(StreamDetails details) => details.Categories.Count == 0 && details.Actions.Count == 0 && details.Severity is null;

    /// <summary>Whether it goes out. What was altered or is missing always does; that a body ended only where everything goes out, for of what sort it was nobody knows any more.</summary>
    public static bool LetsThrough(StreamDetails details, SliceEvent each) => each.Event is not { } happened
        ? each.State != SliceState.Expired || IsAll(details)
        : (details.Categories.Count == 0 || details.Categories.Contains(EventJson.Name(happened.Category)))
            && (details.Actions.Count == 0 || details.Actions.Contains(happened.Action))
            && (details.Severity is not { } least || happened.Severity >= Enum.GetValues<EventSeverity>().First(known => EventJson.Name(known) == least));
}

// Interim: delete this file when EventCatalogue, LedgerAppender and Sequencer land (same names, same members).
#pragma warning disable
using Chaperone.Ledger;
namespace Chaperone.Platform.Ledger;
public sealed record EventType(string Action, EventCategory Category, EventSeverity Severity);
public static class EventCatalogue { public static bool Knows(string a) => true; public static EventType Find(string a) => throw new Exception(); }
public sealed class LedgerAppender { public ValueTask<object> PrepareAsync(Guid t, LedgerEvent e, CancellationToken c) => default; public static Npgsql.NpgsqlBatchCommand Command(object p, long? n) => null!; }
public sealed class Sequencer { public void Signal(Guid t) {} }

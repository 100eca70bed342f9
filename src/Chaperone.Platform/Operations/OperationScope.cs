using System.Buffers.Binary;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Platform.Operations;

/// <summary>
/// What a handler works with: one clinic, one transaction, one event in the making. Opening a row registers its subject; changed rows are found by the
/// monitor. Nothing here commits, and nothing here outlives the operation.
/// </summary>
public sealed class OperationScope
{
    private readonly KeyRing keys;
    private readonly Begun begun;
    private readonly ChaperoneDb? db;
    private readonly RowWriter? writer;
    private readonly HashSet<Guid> subjects = [];
    private readonly List<Func<CancellationToken, Task>> afterCommit = [];

    internal OperationScope(Caller caller, OperationInfo operation, Relation reach, DateTimeOffset now, Begun begun, ChaperoneDb? db, KeyRing keys, RowWriter? writer)
    {
        (Caller, Operation, Reach, Now, this.begun, this.db, this.keys, this.writer) = (caller, operation, reach, now, begun, db, keys, writer);
        EventAction = operation.Policy.Action;
    }

    /// <summary>Who asks, where, from where.</summary>
    public Caller Caller { get; }

    /// <summary>Who acts.</summary>
    public Actor Actor => Caller.Actor;

    /// <summary>The clinic.</summary>
    public Tenant Tenant => Caller.Tenant;

    /// <summary>The moment of the operation: one for everything it writes.</summary>
    public DateTimeOffset Now { get; }

    /// <summary>For a list: the weakest relation the actor must have to a row for it to be shown. Goes into the query before any limit. Otherwise the relation found.</summary>
    public Relation Reach { get; }

    /// <summary>The clinic's tables, under row-level security.</summary>
    public ChaperoneDb Db => db ?? throw Without();

    /// <summary>Many rows at once: seals, digests and inserts in few statements.</summary>
    public RowWriter Writer => writer ?? throw Without();

    internal OperationInfo Operation { get; }

    internal TenantTransaction Transaction => begun.Transaction ?? throw Without();

    internal IReadOnlyCollection<EventRecord> Records => writer?.Records ?? [];

    internal IReadOnlyCollection<FieldChange> Changes => writer?.Changes ?? [];

    internal long ChangedRows => writer?.ChangedRows ?? 0;

    internal IReadOnlyCollection<Guid> Subjects => subjects;

    internal IReadOnlyList<Func<CancellationToken, Task>> AfterCommitActions => afterCommit;

    internal string? EventAction { get; private set; }

    internal EventOutcome Outcome { get; private set; } = EventOutcome.Success;

    internal EventSeverity? Severity { get; private set; }

    internal EventEntity? Entity { get; private set; }

    internal Actor? BecameActor { get; private set; }

    internal string? ReasonCode { get; private set; }

    internal string? TypedIndex { get; private set; }

    internal long? HitCount { get; private set; }

    internal IReadOnlyList<string> UsedFields { get; private set; } = [];

    internal Dictionary<string, EventFact> Facts { get; } = new(StringComparer.Ordinal);

    internal Dictionary<string, Error> Conflicts { get; } = new(StringComparer.Ordinal);

    internal List<FieldChange> ExtraChanges { get; } = [];

    /// <summary>A new id.</summary>
    public Guid NewId() => Ids.New(Now);

    /// <summary>Runs the query, opens every row, and registers everybody it shows.</summary>
    /// <exception cref="SealBrokenException">A payload does not open; the monitor alerts and shows nothing.</exception>
    public async Task<List<TRow>> Open<TRow>(IQueryable<TRow> rows, CancellationToken cancel) where TRow : SealedRow
    {
        var opened = await OpenCandidates(rows, cancel);
        foreach (var row in opened) Show(row);
        return opened;
    }

    /// <summary>The same for one row, or null when the query finds none.</summary>
    public async Task<TRow?> OpenOne<TRow>(IQueryable<TRow> rows, CancellationToken cancel) where TRow : SealedRow =>
        (await Open(rows.Take(1), cancel)).FirstOrDefault();

    /// <summary>The row that the policy says it shows, opened. Null when the clinic has none.</summary>
    /// <exception cref="SealBrokenException">Its payload does not open; the monitor alerts and shows nothing.</exception>
    public async Task<TRow?> OpenResource<TRow>(CancellationToken cancel) where TRow : SealedRow
    {
        if (Operation.Policy.Row != typeof(TRow)) throw new InvalidOperationException($"The policy of {Operation.Name} does not say that it shows a {typeof(TRow).Name}.");
        if (begun.Row is not { } found) return null;
        await keys.OpenAsync(found.Row, found.Table, found.KeyId, found.Wrapped, cancel);
        Show(found.Row);
        return (TRow)found.Row;
    }

    /// <summary>Opens rows only to see whether they are what is looked for. Those that are must be passed to <see cref="Show(SealedRow)"/>; the others must be dropped.</summary>
    public async Task<List<TRow>> OpenCandidates<TRow>(IQueryable<TRow> rows, CancellationToken cancel) where TRow : SealedRow
    {
        // The key's columns, not its entity: it must not be tracked, and AsNoTracking would untrack the rows too.
        var found = await rows.LeftJoin(
            Db.SubjectKeys,
            row => new { Tenant = row.TenantId, Subject = row.SubjectId, Version = row.KeyVersion },
            key => new { Tenant = key.TenantId, Subject = (Guid?)key.SubjectId, key.Version },
            (row, key) => new { Row = row, KeyId = (Guid?)key!.Id, key.Wrapped }).ToListAsync(cancel);
        var table = Db.TableOf(typeof(TRow));
        var rowsOpened = new List<TRow>(found.Count);
        foreach (var pair in found)
        {
            await keys.OpenAsync(pair.Row, table, pair.KeyId, pair.Wrapped, cancel);
            rowsOpened.Add(pair.Row);
        }
        return rowsOpened;
    }

    /// <summary>The row's person is shown to the actor.</summary>
    public void Show(SealedRow row)
    {
        if (row.SubjectId is { } subject) subjects.Add(subject);
    }

    /// <summary>This person's data is shown or changed by other means than a row of theirs.</summary>
    public void Show(Guid subject) => subjects.Add(subject);

    /// <summary>Puts a new row under the clinic; it is sealed when the monitor saves, with the subject's key, which is made if this is their first row.</summary>
    public void Add<TRow>(TRow row) where TRow : SealedRow
    {
        AddUnseen(row);
        Show(row);
    }

    /// <summary>The same for a row whose person the operation neither shows nor is about, such as a colleague who is told of it: the event does not name them for it.</summary>
    public void AddUnseen<TRow>(TRow row) where TRow : SealedRow
    {
        row.TenantId = Tenant.Id;
        Db.Add(row);
    }

    /// <summary>Checks the version the caller saw.</summary>
    public static Error? Stale(SealedRow row, long? ifVersion) =>
        ifVersion is null ? PlatformErrors.PreconditionRequired : row.Version != ifVersion ? PlatformErrors.Changed : null;

    /// <summary>What the event is about, when the request could not say (the id of what was created).</summary>
    public void Concerns(string type, Guid id) => Entity = new(type, id);

    /// <summary>A reason code from the action's list.</summary>
    public void Because(string reason) => ReasonCode = reason;

    /// <summary>A search's facts: how many were found and by which fields; never the words.</summary>
    public void Found(int hits, params string[] fields) => (HitCount, UsedFields) = (hits, fields);

    /// <summary>A count or code for the event.</summary>
    public void Note(string name, EventFact fact) => Facts[name] = fact;

    /// <summary>A change the rows do not show by themselves (a setting of the clinic), never personal.</summary>
    public void NoteChange(string field, string? before, string? after) => ExtraChanges.Add(new(field, null, before, after));

    /// <summary>Takes one of the policy's alternative events instead, such as a refused sign-in, which commits its counters yet is no success.</summary>
    public void RecordAs(string action, EventOutcome outcome = EventOutcome.Success, EventSeverity? severity = null)
    {
        if (action != Operation.Policy.Action && !Operation.Policy.Alternatives.Contains(action))
            throw new InvalidOperationException($"{Operation.Name} may not leave {action}: its policy does not name it.");
        (EventAction, Outcome, Severity) = (action, outcome, severity);
    }

    /// <summary>Who the caller turned out to be: signing in starts as nobody and ends as somebody.</summary>
    public void Became(Actor actor) => BecameActor = actor;

    /// <summary>Blind index, in hexadecimal, of what a stranger typed as sign-in name.</summary>
    public void Typed(string blindIndexHex) => TypedIndex = blindIndexHex;

    /// <summary>What to answer when this unique or exclusion constraint is hit.</summary>
    public void OnConflict(string constraint, Error error) => Conflicts[constraint] = error;

    /// <summary>Runs once the transaction is durable, such as forgetting what was remembered. It must not fail for lack of anything.</summary>
    public void AfterCommit(Func<CancellationToken, Task> action) => afterCommit.Add(action);

    /// <summary>Writes what was changed so far to the database, still inside the transaction, so that a constraint speaks now.</summary>
    public Task Flush(CancellationToken cancel) => Writer.SaveChangesAsync(cancel);

    /// <summary>
    /// Waits until no other operation has the turn of any of these ids, then has all of them until it commits or fails. For what a constraint decides by waiting for others (an exclusion
    /// constraint), where two could wait for each other. It decides nothing itself: whoever forgets it is refused by the constraint all the same.
    /// </summary>
    /// <param name="ids">UUIDv7; two that share a turn by chance wait without need.</param>
    /// <param name="cancel">Cancels.</param>
    public async Task TakeTurns(IEnumerable<Guid> ids, CancellationToken cancel)
    {
        // In one order for everybody. Two-part keys, from the random half of the id, are a space of their own beside the sequencer's.
        foreach (var (high, low) in ids.Select(id => id.ToByteArray(bigEndian: true)).Select(id => (BinaryPrimitives.ReadInt32BigEndian(id.AsSpan(8)), BinaryPrimitives.ReadInt32BigEndian(id.AsSpan(12)))).Distinct().Order())
        {
            await using var command = Transaction.Command("SELECT pg_advisory_xact_lock($1, $2) IS NOT NULL", high, low);
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    /// <summary>The clinic's blind index of this name, such as <c>patient.name</c>; its key is made at first use.</summary>
    public ValueTask<BlindIndexKey> BlindIndex(string name, CancellationToken cancel) => keys.BlindIndexAsync(Tenant.Id, name, cancel);

    private InvalidOperationException Without() => new($"{Operation.Name} shows one row, which its policy names, and has no database beside.");
}

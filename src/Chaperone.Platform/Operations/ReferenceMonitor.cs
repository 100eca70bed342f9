using System.Collections.Concurrent;
using System.Reflection;
using Chaperone.Encryption;
using Chaperone.Ledger;
using Chaperone.Platform.Access;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Chaperone.Platform.Operations;

/// <summary>
/// The one way in. Begins the transaction in the caller's clinic, finds the relation to the resource, decides, runs the handler, writes the event and the
/// changes in one commit. What it refuses or cannot do is logged in a transaction of its own. (J. P. Anderson, Computer Security Technology Planning Study,
/// 1972: always invoked, tamper proof, small enough to be verified.)
/// </summary>
public sealed class ReferenceMonitor(
    OperationRegistry registry, IServiceScopeFactory services, Databases databases, IDbContextFactory<ChaperoneDb> contexts,
    KeyRing keys, EventWriter events, TimeProvider clock, ILogger<ReferenceMonitor> log, DenialAlarm? alarm = null)
{
    private static readonly MethodInfo InvokeMethod = typeof(ReferenceMonitor).GetMethod(nameof(Invoke), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Delegate> Invokers = new();
    private readonly Lazy<IModel> model = new(() =>
    {
        using var db = contexts.CreateDbContext();
        return db.Model;
    });

    /// <summary>Runs an operation for a caller.</summary>
    /// <returns>Its value once change and event are durable, or the error. Bugs come back as <see cref="PlatformErrors.Unexpected"/>, with everything rolled back.</returns>
    /// <exception cref="OperationCanceledException">The caller went away before anything was committed; nothing was shown or changed.</exception>
    public async Task<Result<TResult>> Run<TResult>(IOperation<TResult> operation, Caller caller, CancellationToken cancel)
    {
        var info = registry.Get(operation.GetType());
        var attempt = new Attempt(info, caller, (operation as IAbout)?.ResourceId);
        try
        {
            await using var begun = await BeginAsync(attempt, cancel);
            attempt.Decision = Decide(info.Policy, caller.Actor, begun.Relation, clock.GetUtcNow());
            if (!attempt.Decision.Allowed)
            {
                var refused = await Fail(attempt, EventOutcome.Denied, ErrorOf(attempt.Decision.Refusal, caller.Actor), begun);
                if (attempt.Decision.Refusal == Refusal.NoPermission && caller.Actor.Kind == ActorKind.User) alarm?.Raise(caller);
                return refused;
            }
            return await RunAllowed(operation, attempt, begun, cancel);
        }
        catch (NpgsqlException lost) when (lost is not PostgresException)
        {
            log.LogError("{Operation}: the database did not answer ({Fault})", info.Name, lost.GetType().Name);
            return PlatformErrors.DatabaseUnavailable;
        }
    }

    private async Task<Result<TResult>> RunAllowed<TResult>(IOperation<TResult> operation, Attempt attempt, Begun begun, CancellationToken cancel)
    {
        var (info, caller) = (attempt.Info, attempt.Caller);
        var now = clock.GetUtcNow();
        await using var services1 = services.CreateAsyncScope();
        await using var db = begun.Transaction is null ? null : await contexts.CreateDbContextAsync(cancel);
        db?.Database.SetDbConnection(begun.Transaction!.Connection);
        db?.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;   // the transaction is the monitor's
        var writer = db is null ? null : new RowWriter(caller.Tenant.Id, db, begun.Transaction!, keys, now);
        var reach = info.Policy.IsList ? caller.Actor.Rights.WeakestRelation(info.Policy.Permission!, caller.Actor.State.Elevated, now) ?? Relation.Own : begun.Relation;
        var scope = new OperationScope(caller, info, reach, now, begun, db, keys, writer);
        attempt.Scope = scope;
        services1.ServiceProvider.GetRequiredService<CurrentScope>().Value = scope;
        try
        {
            var result = await Invoker<TResult>(info.Type)(operation, services1.ServiceProvider, scope, cancel);
            if (result.Error is { } error) return await Fail(attempt, EventOutcome.Failure, error, begun);
            if (writer is not null) await writer.SaveChangesAsync(cancel);
            await CommitAsync(attempt, scope, begun, cancel);
            foreach (var action in scope.AfterCommitActions) await action(CancellationToken.None);
            return result;
        }
        catch (DbUpdateConcurrencyException)
        {
            return await Fail(attempt, EventOutcome.Failure, PlatformErrors.Changed, begun);
        }
        catch (Exception fault) when (TakenConstraint(fault) is { } constraint)
        {
            return await Fail(attempt, EventOutcome.Failure, scope.Conflicts.GetValueOrDefault(constraint, PlatformErrors.Conflict), begun);
        }
        catch (SealBrokenException)
        {
            log.LogCritical("{Operation}: a sealed payload did not open", info.Name);
            return await Fail(attempt with { Action = "security.seal_broken" }, EventOutcome.Failure, PlatformErrors.SealBroken, begun);
        }
        catch (OperationCanceledException) when (info.Policy.Streams)
        {
            await Fail(attempt, EventOutcome.Failure, PlatformErrors.BrokenOff, begun);
            throw;
        }
        catch (Exception fault) when (fault is not OperationCanceledException and not (NpgsqlException and not PostgresException))
        {
            // Never the message: it may quote a value. The stack says where.
            log.LogError("{Operation} failed: {Fault}{NewLine}{Stack}", info.Name, Kind(fault), Environment.NewLine, fault.StackTrace);
            return await Fail(attempt, EventOutcome.Failure, PlatformErrors.Unexpected, begun);
        }
    }

    /// <summary>One round trip: the transaction with the relation, or the relation with the one row to be shown.</summary>
    private async Task<Begun> BeginAsync(Attempt attempt, CancellationToken cancel)
    {
        var (policy, tenant, actor) = (attempt.Info.Policy, attempt.Caller.Tenant.Id, attempt.Caller.Actor);
        var readOnly = policy.Kind == PolicyKind.Reads;
        if (attempt.ResourceId is not { } id) return new(await TenantTransaction.BeginAsync(databases.App, tenant, readOnly, cancel), Relation.SameClinic, null);
        var relation = new NpgsqlBatchCommand(policy.Resource!.RelationSql!)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = id },
                new() { Value = (object?)actor.Id ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                new() { Value = (object?)actor.PatientId ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid },
                new NpgsqlParameter<DateTimeOffset> { TypedValue = clock.GetUtcNow(), NpgsqlDbType = NpgsqlDbType.TimestampTz },
            },
        };
        if (policy.Row is { } type)
        {
            var row = RowById.Of(model.Value, type);
            return await TenantTransaction.ReadAsync(databases.Shared, tenant, [relation, row.Command(tenant, id)], async reader =>
            {
                var related = await RelationAsync(reader);
                await reader.NextResultAsync(cancel);
                return new Begun(null, related, await reader.ReadAsync(cancel) ? row.Read(reader, tenant, id) : null);
            }, cancel);
        }
        var (transaction, found) = await TenantTransaction.BeginAsync(databases.App, tenant, [relation], RelationAsync, readOnly, cancel);
        return new(transaction, found, null);

        async Task<Relation> RelationAsync(NpgsqlDataReader reader) =>
            await reader.ReadAsync(cancel) && !await reader.IsDBNullAsync(0, cancel) ? (Relation)reader.GetInt32(0) : Relation.None;
    }

    internal static Decision Decide(Policy policy, Actor actor, Relation relation, DateTimeOffset now)
    {
        if (policy.Audience == Audience.Anybody) return new(true, "audience:anybody", Refusal.None);
        if (policy.Audience == Audience.System)
            return actor.Kind is ActorKind.System or ActorKind.Operator ? new(true, "audience:system", Refusal.None) : new(false, "none:system-only", Refusal.NoPermission);
        if (actor.Kind is not ActorKind.User) return actor.Kind is ActorKind.Operator ? new(true, "audience:operator", Refusal.None) : new(false, "state:not-signed-in", Refusal.NoPermission);
        if (policy.Audience is Audience.Self or Audience.SelfEnrolled)
        {
            if (actor.State.Suspended) return new(false, "state:suspended", Refusal.Suspended);
            if (policy.Audience == Audience.SelfEnrolled && !actor.State.Enrolled) return new(false, "state:not-enrolled", Refusal.EnrolmentRequired);
            if (policy.StepUp && !actor.State.IsSteppedUp(now)) return new(false, "state:step-up", Refusal.StepUpRequired);
            return relation == Relation.None ? new(false, "none:no-relation", Refusal.NoRelation) : new(true, "audience:self", Refusal.None);
        }
        // A list shows only rows within reach, so holding the permission through any relation is enough to ask; the query does the rest.
        var asked = policy.IsList ? Relation.Own : relation;
        return AccessRules.Decide(actor.Rights, policy.Permission!, asked, actor.State, new(policy.StepUp), now);
    }

    private static Error ErrorOf(Refusal refusal, Actor actor) => refusal switch
    {
        _ when actor.Kind == ActorKind.Anonymous => PlatformErrors.SignInRequired,
        Refusal.NoRelation => PlatformErrors.NotFound,
        Refusal.EnrolmentRequired => PlatformErrors.EnrolmentRequired,
        Refusal.StepUpRequired => PlatformErrors.StepUpRequired,
        Refusal.Suspended => PlatformErrors.Suspended,
        _ => PlatformErrors.Forbidden,
    };

    private async Task CommitAsync(Attempt attempt, OperationScope scope, Begun begun, CancellationToken cancel)
    {
        var changed = scope.ChangedRows;
        switch (attempt.Info.Policy.Kind)
        {
            case PolicyKind.Reads:
                if (changed > 0) throw new InvalidOperationException($"{attempt.Info.Name} reads, yet changed rows.");
                await begun.DisposeAsync();     // nothing to keep, and nothing to hold while the event waits for others
                await events.WriteAloneAsync(attempt.Caller.Tenant.Id, EventDraft.Of(attempt, scope, clock.GetUtcNow()), cancel);
                break;
            case PolicyKind.Changes:
                await events.CommitAsync(EventDraft.Of(attempt, scope, clock.GetUtcNow()), begun.Transaction!, changed, cancel);
                break;
            default:
                if (changed > 0 || scope.Subjects.Any(subject => subject != scope.Actor.Id && subject != scope.Actor.PatientId))
                    throw new InvalidOperationException($"{attempt.Info.Name} is unlogged, yet it changed records or showed somebody else's.");
                await begun.Transaction!.CommitAsync(cancel);
                break;
        }
    }

    private async Task<Error> Fail(Attempt attempt, EventOutcome outcome, Error error, Begun begun)
    {
        await begun.DisposeAsync();
        if (attempt.Info.Policy.Kind == PolicyKind.Unlogged && (outcome == EventOutcome.Failure || attempt.Caller.Actor.Kind == ActorKind.Anonymous)) return error;
        try
        {
            await events.WriteAloneAsync(attempt.Caller.Tenant.Id, EventDraft.OfFailure(attempt, outcome, error, clock.GetUtcNow()), CancellationToken.None);
            return error;
        }
        catch (NpgsqlException lost)
        {
            log.LogError("{Operation}: its event could not be written ({Fault})", attempt.Info.Name, Kind(lost));
            return PlatformErrors.DatabaseUnavailable;
        }
    }

    private static string? TakenConstraint(Exception fault) =>
        (fault as PostgresException ?? fault.InnerException as PostgresException) is { SqlState: PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.ExclusionViolation } violation ? violation.ConstraintName ?? "" : null;

    private static string Kind(Exception fault) => (fault.InnerException ?? fault) is PostgresException postgres ? $"{fault.GetType().Name} ({postgres.SqlState} {postgres.ConstraintName})" : fault.GetType().Name;

    private static Func<object, IServiceProvider, OperationScope, CancellationToken, Task<Result<TResult>>> Invoker<TResult>(Type operation) =>
        (Func<object, IServiceProvider, OperationScope, CancellationToken, Task<Result<TResult>>>)Invokers.GetOrAdd(operation, type =>
            InvokeMethod.MakeGenericMethod(type, typeof(TResult)).CreateDelegate<Func<object, IServiceProvider, OperationScope, CancellationToken, Task<Result<TResult>>>>());

    private static Task<Result<TResult>> Invoke<TOperation, TResult>(object operation, IServiceProvider services, OperationScope scope, CancellationToken cancel)
        where TOperation : IOperation<TResult> =>
        services.GetRequiredService<IHandler<TOperation, TResult>>().Handle((TOperation)operation, scope, cancel);
}

/// <summary>Tells that somebody signed in asked for what none of their roles includes, once its event is written. Whoever listens must be quick and must not fail.</summary>
/// <param name="Raise">Given the caller.</param>
public sealed record DenialAlarm(Action<Caller> Raise);

/// <summary>The scope of the operation that a container scope belongs to, so that a feature's own types can ask for it.</summary>
internal sealed class CurrentScope
{
    public OperationScope? Value { get; set; }
}

/// <summary>What the first round trip brought: the transaction that goes on, or, when one row is all there is to show, that row and no transaction.</summary>
internal sealed record Begun(TenantTransaction? Transaction, Relation Relation, RowWithKey? Row) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Transaction?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>One run of an operation, as far as it got.</summary>
internal sealed record Attempt(OperationInfo Info, Caller Caller, Guid? ResourceId)
{
    public Decision Decision { get; set; }

    public OperationScope? Scope { get; set; }

    public string? Action { get; init; }
}

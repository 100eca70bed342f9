using Chaperone.Platform.Operations;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.Jobs;

/// <summary>A run of a job that has no table of its own: numbers and codes, nothing of anybody.</summary>
internal sealed class JobRunRow
{
    public const string Verification = "verification", Export = "export", Purge = "purge";
    public const string Running = "running", Finished = "finished", Failed = "failed";

    /// <summary>How long a run may be silent before it counts as broken off.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(10);

    /// <summary>How long runs are kept.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromDays(90);

    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public required string Kind { get; init; }

    /// <summary>Which, by code: <c>patients</c>, <c>audit_log</c>, <c>log</c>.</summary>
    public required string What { get; init; }

    public string State { get; set; } = Running;

    public Guid? StartedBy { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; set; }

    /// <summary>Running and past this: it broke off.</summary>
    public DateTimeOffset AliveUntil { get; set; }

    public long Done { get; set; }

    public long? Total { get; set; }

    public string? ResultCode { get; set; }

    public static void Model(ModelBuilder model) => model.Entity<JobRunRow>(row => row.ToTable("job_run").HasKey(run => new { run.TenantId, run.Id }));
}

/// <summary>Begins, carries on and ends runs, from inside operations.</summary>
internal static class JobRuns
{
    public static void Begin(OperationScope scope, Guid id, string kind, string what, long? total) => scope.Db.Add(new JobRunRow
    {
        TenantId = scope.Tenant.Id, Id = id, Kind = kind, What = what, StartedBy = scope.Actor.Id, StartedAt = scope.Now, AliveUntil = scope.Now + JobRunRow.Silence, Total = total,
    });

    public static Task ProgressAsync(OperationScope scope, Guid id, long done, long? total, CancellationToken cancel) =>
        Open(scope, id).ExecuteUpdateAsync(set => set.SetProperty(run => run.Done, done).SetProperty(run => run.Total, total).SetProperty(run => run.AliveUntil, scope.Now + JobRunRow.Silence), cancel);

    public static Task EndAsync(OperationScope scope, Guid id, long? done, Error? error, CancellationToken cancel)
    {
        var (state, code) = (error is null ? JobRunRow.Finished : JobRunRow.Failed, error?.Code);
        return Open(scope, id).ExecuteUpdateAsync(set => set.SetProperty(run => run.State, state).SetProperty(run => run.FinishedAt, scope.Now).SetProperty(run => run.ResultCode, code)
            .SetProperty(run => run.Done, run => done ?? run.Done), cancel);
    }

    private static IQueryable<JobRunRow> Open(OperationScope scope, Guid id) => scope.Db.Set<JobRunRow>().Where(run => run.Id == id && run.State == JobRunRow.Running);
}

/// <summary>Notes that an export has begun. What is exported, and to whom, is in the export's own events.</summary>
internal sealed record BeginExportRun(Guid Export, string What, long? Total) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Unlogged("a line in the list of jobs; the export itself leaves two events").ForSelf("whoever just announced an export");
}

internal sealed class BeginExportRunHandler : IHandler<BeginExportRun, Done>
{
    public Task<Result<Done>> Handle(BeginExportRun request, OperationScope scope, CancellationToken cancel)
    {
        JobRuns.Begin(scope, request.Export, JobRunRow.Export, request.What, request.Total);
        return Task.FromResult<Result<Done>>(default(Done));
    }
}

/// <summary>Notes that one's own export has ended.</summary>
internal sealed record EndExportRun(Guid Export, long? Rows, Error? Error) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Unlogged("a line in the list of jobs; the export itself leaves two events").ForSelf("whoever exported");
}

internal sealed class EndExportRunHandler : IHandler<EndExportRun, Done>
{
    public async Task<Result<Done>> Handle(EndExportRun request, OperationScope scope, CancellationToken cancel)
    {
        var (id, me) = (request.Export, scope.Actor.Id);
        if (await scope.Db.Set<JobRunRow>().AnyAsync(run => run.Id == id && run.StartedBy == me, cancel)) await JobRuns.EndAsync(scope, id, request.Rows, request.Error, cancel);
        return default(Done);
    }
}

/// <summary>Writes the run of a job of the system: begins it, says how far it is, or ends it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Begins">Its kind and what, when it begins.</param>
/// <param name="Done">How far it is.</param>
/// <param name="Total">Of how much.</param>
/// <param name="Ends">Whether it ends.</param>
/// <param name="Error">What went wrong.</param>
internal sealed record NoteRun(Guid Run, (string Kind, string What)? Begins = null, long Done = 0, long? Total = null, bool Ends = false, Error? Error = null) : IOperation<Done>
{
    public static Policy Policy { get; } = Policy.Unlogged("numbers in the list of jobs; what the job did is in the log").ForSystem("the system's own work");
}

internal sealed class NoteRunHandler : IHandler<NoteRun, Done>
{
    public async Task<Result<Done>> Handle(NoteRun request, OperationScope scope, CancellationToken cancel)
    {
        if (request.Begins is var (kind, what)) JobRuns.Begin(scope, request.Run, kind, what, request.Total);
        else if (request.Ends) await JobRuns.EndAsync(scope, request.Run, request.Done, request.Error, cancel);
        else await JobRuns.ProgressAsync(scope, request.Run, request.Done, request.Total, cancel);
        return default(Done);
    }
}

/// <summary>Ends runs whose process died, and forgets old ones.</summary>
internal sealed record PurgeRuns : IOperation<int>
{
    public static Policy Policy { get; } = Policy.Unlogged("forgets numbers that are 90 days old; what the jobs did is in the log").ForSystem("the scheduler's work");
}

internal sealed class PurgeRunsHandler : IHandler<PurgeRuns, int>
{
    public async Task<Result<int>> Handle(PurgeRuns request, OperationScope scope, CancellationToken cancel)
    {
        var (now, before) = (scope.Now, scope.Now - JobRunRow.Keep);
        var code = JobErrors.BrokeOff.Code;
        await scope.Db.Set<JobRunRow>().Where(run => run.State == JobRunRow.Running && run.AliveUntil < now)
            .ExecuteUpdateAsync(set => set.SetProperty(run => run.State, JobRunRow.Failed).SetProperty(run => run.FinishedAt, now).SetProperty(run => run.ResultCode, code), cancel);
        return await scope.Db.Set<JobRunRow>().Where(run => run.StartedAt < before && run.State != JobRunRow.Running).ExecuteDeleteAsync(cancel);
    }
}

/// <summary>Exports as jobs.</summary>
internal static class ExportRuns
{
    /// <summary>Runs an export that was announced, and keeps its run: also of one that breaks off because nobody reads on.</summary>
    public static async Task<Result<TWritten>> ExportAsync<TWritten>(this HttpContext http, Guid export, string what, IOperation<TWritten> operation, Func<TWritten, long> rows)
    {
        await http.Run(new BeginExportRun(export, what, null));
        Result<TWritten> written = PlatformErrors.BrokenOff;
        try
        {
            return written = await http.Run(operation);
        }
        finally
        {
            // Past the request's end: whoever went away is why it is told.
            var end = new EndExportRun(export, written.Succeeded ? rows(written.Value) : null, written.Error);
            await http.RequestServices.GetRequiredService<ReferenceMonitor>().Run(end, http.Caller(), CancellationToken.None);
        }
    }
}

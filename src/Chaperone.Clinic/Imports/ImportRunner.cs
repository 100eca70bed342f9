using System.Threading.Channels;
using Chaperone.Encryption;
using Chaperone.Platform;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Chaperone.Clinic.Imports;

/// <summary>Wakes the runner when a clinic has something to import.</summary>
internal sealed class ImportBell
{
    private readonly Channel<Guid> rung = Channel.CreateUnbounded<Guid>();

    public void Ring(Guid tenant) => rung.Writer.TryWrite(tenant);

    public ValueTask<Guid> Heard(CancellationToken cancel) => rung.Reader.ReadAsync(cancel);
}

/// <summary>
/// Carries imports through: woken when one starts, and looking for unfinished ones at start and every minute. Several processes may run it: a lease of a few seconds, renewed with
/// every batch, gives each import to one of them, and a batch whose lease or place in the file is not right is refused.
/// </summary>
internal sealed class ImportRunner(ReferenceMonitor monitor, TenantDirectory clinics, KeyRing keys, ImportBell bell, TimeProvider clock, ILogger<ImportRunner> log) : BackgroundService
{
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1), LookAgain = TimeSpan.FromSeconds(5);
    private static readonly CallSource Source = new("job", "import");
    private readonly Guid holder = Ids.New(clock.GetUtcNow());

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Two clinics at once, so that a large file does not keep everybody waiting.
        await Task.WhenAll(SweepAsync(stoppingToken), ListenAsync(stoppingToken), ListenAsync(stoppingToken));
    }

    /// <summary>Does everything there is to do in one clinic. True when another process works there on something.</summary>
    internal async Task<bool> RunClinicAsync(Tenant clinic, CancellationToken cancel)
    {
        var caller = new Caller(clinic, Actor.System, Source);
        while (true)
        {
            var claimed = await monitor.Run(new ClaimImport(holder), caller, cancel);
            if (claimed.Error is not null) return true;   // somebody was faster, or the database is away
            foreach (var expired in claimed.Value.Expired) await monitor.Run(new ExpireImport(expired), caller, cancel);
            if (claimed.Value.Work is not { } work) return claimed.Value.OthersWork;
            if (!await RunImportAsync(work, caller, cancel)) return true;
        }
    }

    private async Task<bool> RunImportAsync(ImportWork work, Caller caller, CancellationToken cancel)
    {
        var (tenant, broken) = (caller.Tenant.Id, false);
        try
        {
            using var key = await ImportFile.OpenKeyAsync(keys, tenant, work.FileKeyId, work.FileKey, cancel);
            await using var table = new CsvTable(StreamSealing.OpenRead(ImportFile.ChunksAsync(from => ChunksAsync(work, caller, from, cancel), cancel), key, new(tenant, work.ImportId)), work.Shape.Encoding, work.Shape.Delimiter);
            var reader = work.Kind.Reader(work.Shape, work.Mapping, caller.Tenant, clock.GetUtcNow());
            await table.ReadAsync(cancel);   // the header
            for (var passed = 0; passed < work.RowsDone && await table.ReadAsync(cancel); passed++) reader.Read(table.Row, table.Cells());

            // The next rows are read while the database takes these.
            var done = work.RowsDone;
            var batch = await NextAsync(table, reader, cancel);
            while (batch.Count > 0)
            {
                var next = Task.Run(() => NextAsync(table, reader, cancel), cancel);
                var result = await work.Kind.RunBatch(monitor, caller, new(work.ImportId, holder, done, batch), cancel);
                done += batch.Count;
                batch = await next;
                if (result.Error is not { } error) continue;
                if (error.Code == ImportErrors.WrongState.Code) break;   // asked to stop
                log.LogWarning("Import {Import} of clinic {Clinic} is left for later: {Code}", work.ImportId, tenant, error.Code);
                return false;
            }
        }
        catch (Exception unreadable) when (unreadable is SealBrokenException or BrokenQuotesException)
        {
            log.LogCritical("Import {Import} of clinic {Clinic}: its stored file does not open ({Fault})", work.ImportId, tenant, unreadable.GetType().Name);
            broken = true;
        }
        return (await monitor.Run(new FinishImport(work.ImportId, holder, broken), caller, cancel)).Error is null;
    }

    private async Task<List<byte[]>> ChunksAsync(ImportWork work, Caller caller, int from, CancellationToken cancel)
    {
        var chunks = await monitor.Run(new ReadImportChunks(work.ImportId, from), caller, cancel);
        return chunks.Error is { } error ? throw new IOException("Chunks could not be read: " + error.Code) : chunks.Value;
    }

    private static async Task<List<ReadRow>> NextAsync(CsvTable table, RowReader reader, CancellationToken cancel)
    {
        var batch = new List<ReadRow>(ImportLimits.BatchRows);
        while (batch.Count < ImportLimits.BatchRows && await table.ReadAsync(cancel)) batch.Add(reader.Read(table.Row, table.Cells()));
        return batch;
    }

    private async Task ListenAsync(CancellationToken cancel)
    {
        while (true)
        {
            var tenant = await bell.Heard(cancel);
            if (await clinics.GetAsync(tenant, cancel) is not { } clinic || !await TryRunAsync(clinic, cancel)) continue;
            _ = Task.Delay(LookAgain, clock, cancel).ContinueWith(_ => bell.Ring(tenant), cancel, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        }
    }

    private async Task SweepAsync(CancellationToken cancel)
    {
        while (true)
        {
            try
            {
                foreach (var clinic in await clinics.AllAsync(cancel)) bell.Ring(clinic.Id);
            }
            catch (Exception away) when (!cancel.IsCancellationRequested)
            {
                log.LogWarning("Looking for unfinished imports failed ({Fault}); trying again.", away.GetType().Name);
            }
            await Task.Delay(SweepEvery, clock, cancel);
        }
    }

    private async Task<bool> TryRunAsync(Tenant clinic, CancellationToken cancel)
    {
        try
        {
            return await RunClinicAsync(clinic, cancel);
        }
        catch (Exception failed) when (!cancel.IsCancellationRequested)
        {
            log.LogError("Imports of clinic {Clinic} failed: {Fault}{NewLine}{Stack}", clinic.Id, failed.GetType().Name, Environment.NewLine, failed.StackTrace);
            return true;
        }
    }
}

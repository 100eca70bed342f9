using System.Security.Cryptography;
using Chaperone.Clinic.Witnesses;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.AuditLog;

/// <summary>The shapes in which the log leaves.</summary>
internal enum AuditExportFormat
{
    /// <summary>A table of the filtered view; see <see cref="AuditCsv"/>.</summary>
    Csv,

    /// <summary>The filtered view's events as they were written, in one JSON document.</summary>
    Json,

    /// <summary>The filtered view as a report for people: a cover with filter, counts, checkpoint and integrity, and a line for each event.</summary>
    Pdf,

    /// <summary>A zip that proves itself: the events byte for byte, with the tiles and the signed checkpoint.</summary>
    Bundle,
}

/// <summary>An export as it was announced.</summary>
internal sealed record AuditExport(Guid Id, AuditExportFormat Format, AuditFilter Filter, AuditQuery Query)
{
    /// <summary>What the format is called in addresses and events.</summary>
    public static string NameOf(AuditExportFormat format) => format switch { AuditExportFormat.Csv => "csv", AuditExportFormat.Json => "json", AuditExportFormat.Pdf => "pdf", _ => "bundle" };
}

/// <summary>Checks what is asked for and announces the export. Durable before the first byte leaves.</summary>
/// <param name="Query">Filters and format; a bundle takes from and to only.</param>
internal sealed record StartAuditExport(AuditQuery Query) : IOperation<AuditExport>
{
    public static Policy Policy { get; } = Policy.Reads("data.export_started").Needs(Permission.AuditExport).About(Resource.Clinic).WithStepUp();
}

internal sealed class StartAuditExportHandler(ClinicLog log) : IHandler<StartAuditExport, AuditExport>
{
    public async Task<Result<AuditExport>> Handle(StartAuditExport request, OperationScope scope, CancellationToken cancel)
    {
        if (AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        var read = request.Query.Read(scope.Tenant.Zone, AuditQuery.Format);
        var error = AuditErrors.BadExport with { Fields = read.Error?.Fields ?? new Dictionary<string, string>() };
        var format = request.Query[AuditQuery.Format] is { } asked ? Enum.GetValues<AuditExportFormat>().Cast<AuditExportFormat?>().FirstOrDefault(known => AuditExport.NameOf(known!.Value) == asked) : AuditExportFormat.Csv;
        if (format is null) error = error.With(AuditQuery.Format, "Use csv, json, pdf or bundle.");
        if (read.Succeeded && format == AuditExportFormat.Bundle)
            foreach (var field in read.Value.Fields.Where(field => field is not (AuditQuery.From or AuditQuery.To)))
                error = error.With(field, "A bundle holds every event of its time; it takes from and to only.");
        if (error.Fields.Count > 0) return error;
        if (format == AuditExportFormat.Bundle)
        {
            if (await log.WithholdsAsync(cancel)) return AuditErrors.NotWhole;
            await log.CatchUpAsync(cancel, signed: true);
            if (await log.SignedHeadAsync(cancel) is null) return AuditErrors.NothingSigned;
        }

        var export = new AuditExport(scope.NewId(), format!.Value, read.Value, request.Query.FiltersOnly);
        Describe(scope, export);
        return export;
    }

    /// <summary>What both events say of an export. The filter's fields, not what stands in them.</summary>
    public static void Describe(OperationScope scope, AuditExport export)
    {
        scope.Concerns("export", export.Id);
        scope.Note("what", "audit_log");
        scope.Note("format", AuditExport.NameOf(export.Format));
        if (export.Filter.Fields is { Length: > 0 } fields) scope.Note("filter", string.Join('.', fields));
    }
}

/// <summary>Writes the log while it reads it. Everybody whom the written events name is registered as shown.</summary>
/// <param name="Export">What <see cref="StartAuditExport"/> answered.</param>
/// <param name="To">Where to; when it throws, the event says that the export broke off, and what had left by then.</param>
internal sealed record ExportAuditLog(AuditExport Export, Stream To) : IOperation<WrittenExport>
{
    public static Policy Policy { get; } = Policy.Reads("data.exported").Needs(Permission.AuditExport).About(Resource.Clinic).WithStepUp().WhileStreaming();
}

/// <summary>What left.</summary>
/// <param name="Rows">Events.</param>
/// <param name="Untold">Events that do not open, of which no event says so yet.</param>
internal sealed record WrittenExport(long Rows, IReadOnlyList<Guid> Untold);

internal sealed class ExportAuditLogHandler(ClinicLog log, Guards guards) : IHandler<ExportAuditLog, WrittenExport>
{
    public async Task<Result<WrittenExport>> Handle(ExportAuditLog request, OperationScope scope, CancellationToken cancel)
    {
        if (AuditPlan.RefusesDownload(scope) is { } refused) return refused;
        var export = request.Export;
        if (export.Format == AuditExportFormat.Bundle && await log.WithholdsAsync(cancel)) return AuditErrors.NotWhole;
        StartAuditExportHandler.Describe(scope, export);
        scope.Note("complete", "no");
        foreach (var person in export.Filter.People) scope.Show(person);
        await using var to = new HashingStream(request.To);
        await log.CatchUpAsync(cancel, signed: export.Format != AuditExportFormat.Csv);
        var written = export.Format switch
        {
            AuditExportFormat.Csv => await new AuditTable(log, scope).WriteCsvAsync(export, to, cancel),
            AuditExportFormat.Json => await new AuditTable(log, scope).WriteJsonAsync(export, to, cancel),
            AuditExportFormat.Pdf => await new AuditReport(log, scope).WriteAsync(export, to, cancel),
            _ => await WriteBundle(export.Filter, to, scope, cancel),
        };
        await to.FlushAsync(cancel);
        scope.Note("complete", "yes");
        scope.Note("sha256", to.FinishedHash());
        return written;
    }

    private async Task<WrittenExport> WriteBundle(AuditFilter filter, HashingStream to, OperationScope scope, CancellationToken cancel)
    {
        var rows = 0L;
        var policy = await guards.PolicyAsync(scope, cancel);
        var summary = await log.WriteBundleAsync(filter.From, filter.To, to, happened =>
        {
            scope.Note("rows", ++rows);
            foreach (var person in happened.People()) scope.Show(person);
        }, policy, cancel);
        scope.Note("rows", summary.Events);
        scope.Note("first_index", summary.From);
        scope.Note("end_index", summary.To);
        scope.Note("size", summary.Size);
        return new(summary.Events, []);
    }
}

/// <summary>Passes on what is written and hashes it on the way.</summary>
internal sealed class HashingStream(Stream inner) : Stream
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>SHA-256 of all that was written, in hexadecimal; begins anew.</summary>
    public string FinishedHash() => Convert.ToHexStringLower(hash.GetHashAndReset());

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await inner.WriteAsync(buffer, cancellationToken);
        hash.AppendData(buffer.Span);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Write(byte[] buffer, int offset, int count)
    {
        inner.Write(buffer, offset, count);
        hash.AppendData(buffer, offset, count);
    }

    public override void Flush() => inner.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing) hash.Dispose();
        base.Dispose(disposing);
    }
}

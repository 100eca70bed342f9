using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>What is known of an import's file. Sealed: names of files and columns may be personal.</summary>
internal sealed record ImportDetails : ISealedPayload<ImportDetails>
{
    public string FileName { get; init; } = "";

    public string Encoding { get; init; } = ByteCheck.Utf8;

    public char Delimiter { get; init; } = ',';

    public IReadOnlyList<string> Header { get; init; } = [];

    /// <summary>What the columns mean, once that is known.</summary>
    public ColumnMapping? Mapping { get; init; }

    public static JsonTypeInfo<ImportDetails> Json => ImportJson.Default.ImportDetails;
}

/// <summary>An import: one file, from its upload to its report.</summary>
/// <remarks>
/// The row is written in the same transaction as what it counts, so <see cref="RowsDone"/> is exactly how many rows of the file are durable, whatever broke off.
/// </remarks>
internal sealed class ImportJobRow : SealedRow<ImportDetails>
{
    public const string Waiting = "waiting", Running = "running", Finished = "finished", Failed = "failed", Cancelled = "cancelled";

    /// <summary>Code of its <see cref="ImportKind"/>.</summary>
    public required string Kind { get; set; }

    public string State { get; set; } = Waiting;

    public Guid CreatedBy { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public Guid? StartedBy { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public bool StopAsked { get; set; }

    public int Chunks { get; init; }

    public Guid FileKeyId { get; init; }

    public byte[]? FileKey { get; set; }

    public int RowsTotal { get; init; }

    public int RowsDone { get; set; }

    public int Created { get; set; }

    public int Unchanged { get; set; }

    public int Differing { get; set; }

    public int Skipped { get; set; }

    public int LikelyDuplicates { get; set; }

    public Guid? LeaseHolder { get; set; }

    public DateTimeOffset? LeaseUntil { get; set; }

    public CsvShape Shape => new(Payload.Encoding, Payload.Delimiter, Payload.Header, RowsTotal);

    public bool HasEnded => State is Finished or Failed or Cancelled;

    public static void Model(ModelBuilder model)
    {
        model.Entity<ImportJobRow>(row =>
        {
            row.ToTable("import_job");
            row.HasAnnotation(RowWriter.Untracked, "the state of a job: what each batch made is in the log with that batch");
            row.Ignore(job => job.Shape);
            row.Ignore(job => job.HasEnded);
        });
        model.Entity<UploadChunkRow>(row => row.ToTable("upload_chunk").HasKey(chunk => new { chunk.TenantId, chunk.JobId, chunk.N }));
        model.Entity<ImportFindingRow>(row => row.ToTable("import_finding").HasKey(finding => new { finding.TenantId, finding.JobId, finding.RowNumber, finding.ColumnNumber, finding.Code }));
        model.Entity<ImportMappingRow>(row => row.ToTable("import_mapping"));
    }
}

/// <summary>A sealed piece of an uploaded file.</summary>
internal sealed class UploadChunkRow
{
    public Guid TenantId { get; init; }

    public Guid JobId { get; init; }

    public int N { get; init; }

    public required byte[] Sealed { get; init; }
}

/// <summary>A line of an import's report.</summary>
internal sealed class ImportFindingRow
{
    public Guid TenantId { get; init; }

    public Guid JobId { get; init; }

    public int RowNumber { get; init; }

    public short ColumnNumber { get; init; }

    public required string Code { get; init; }
}

/// <summary>A mapping remembered for files with the same columns.</summary>
internal sealed class ImportMappingRow : SealedRow<ColumnMapping>
{
    public required byte[] HeaderToken { get; init; }
}

/// <summary>Imports as what operations are about: the clinic's, closest to who uploaded the file.</summary>
internal static class ImportResource
{
    public static readonly Resource Import = Resource.Define("import", "SELECT CASE WHEN created_by = $2 THEN 4 ELSE 1 END FROM clinic.import_job WHERE id = $1");
}

/// <summary>How an import stands.</summary>
/// <param name="Id">The import.</param>
/// <param name="State">waiting, running, finished, failed or cancelled.</param>
/// <param name="FileName">The file as it was called.</param>
/// <param name="CreatedAt">When it was uploaded.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Rows">Rows of the file.</param>
/// <param name="Done">Rows dealt with.</param>
/// <param name="Created">Rows kept as something new.</param>
/// <param name="Unchanged">Rows that were there already, unchanged.</param>
/// <param name="Differing">Rows that were there already with other details, which were left as they are.</param>
/// <param name="Skipped">Rows at fault, and likely duplicates not imported.</param>
/// <param name="LikelyDuplicates">Rows that look like somebody who was there.</param>
/// <param name="UnmappedColumns">Columns nothing is taken from.</param>
public sealed record ImportState(
    Guid Id, string State, string FileName, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt, int Rows, int Done, int Created, int Unchanged, int Differing, int Skipped, int LikelyDuplicates,
    IReadOnlyList<string> UnmappedColumns)
{
    /// <summary>What the file holds: <c>patients</c>, <c>practitioners</c> or <c>appointments</c>.</summary>
    public string Kind { get; init; } = "";

    /// <summary>Whether the columns' meaning is known.</summary>
    public bool IsMapped { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => State is ImportJobRow.Finished or ImportJobRow.Failed or ImportJobRow.Cancelled;

    /// <summary>What came of it, in a sentence.</summary>
    public string Summary => State switch
    {
        ImportJobRow.Finished when Created == 0 && Unchanged == Rows => $"{Count(Unchanged)} already there, unchanged. Nothing was imported.",
        ImportJobRow.Finished => $"{Count(Created)} imported" + Part(Unchanged, "already there, unchanged") + Part(Differing, "already there with other details, left as they are") + Part(Skipped, "skipped") + ".",
        ImportJobRow.Cancelled when Done == 0 => "The file was discarded. Nothing was imported.",
        ImportJobRow.Cancelled => $"Stopped after {Count(Done)} of {Count(Rows)} rows: {Count(Created)} imported. Importing the file again carries on where it stopped if the file has ids.",
        ImportJobRow.Failed => $"Stopped after {Count(Done)} of {Count(Rows)} rows because the stored file could not be read: {Count(Created)} imported.",
        ImportJobRow.Running => $"{Count(Done)} of {Count(Rows)} rows.",
        _ => $"{Count(Rows)} rows, waiting to be imported.",
    };

    internal static ImportState Of(ImportJobRow job) => new(
        job.Id, job.State, job.Payload.FileName, job.CreatedAt, job.FinishedAt, job.RowsTotal, job.RowsDone, job.Created, job.Unchanged, job.Differing, job.Skipped, job.LikelyDuplicates,
        job.Payload.Mapping?.Unmapped(job.Payload.Header) ?? []) { IsMapped = job.Payload.Mapping is not null, Kind = job.Kind };

    private static string Part(int count, string what) => count == 0 ? "" : $", {Count(count)} {what}";

    private static string Count(int count) => count.ToString("N0", System.Globalization.CultureInfo.GetCultureInfo("en-GB"));
}

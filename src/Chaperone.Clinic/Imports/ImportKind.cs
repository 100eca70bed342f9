using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Tenancy;

namespace Chaperone.Clinic.Imports;

/// <summary>Something that a column of a file can hold.</summary>
/// <param name="Code">Stable; used in mappings.</param>
/// <param name="Label">What people read.</param>
/// <param name="Group">Heading it stands under on the mapping page.</param>
/// <param name="DetailsField">The field of the API's JSON that a fault in it names.</param>
/// <param name="Names">Column names that suggest it, in lower case without spaces and punctuation.</param>
/// <param name="OwnFormat">Only in our own export: never offered on the mapping page.</param>
internal sealed record ImportField(string Code, string Label, string Group, string DetailsField, string[] Names, bool OwnFormat = false);

/// <summary>The fields of a kind.</summary>
internal sealed class ImportFieldList(IReadOnlyList<ImportField> all)
{
    private readonly Dictionary<string, ImportField> byCode = all.ToDictionary(field => field.Code, StringComparer.Ordinal);
    private readonly Dictionary<string, ImportField> byName = all.SelectMany(field => field.Names.Select(name => (name, field))).ToDictionary(pair => pair.name, pair => pair.field, StringComparer.Ordinal);

    public IReadOnlyList<ImportField> All => all;

    public ImportField? Find(string code) => byCode.GetValueOrDefault(code);

    /// <summary>The field that a column of this name most likely holds, or null.</summary>
    public ImportField? Guess(string column) => byName.GetValueOrDefault(string.Concat(column.Where(char.IsLetterOrDigit)).ToLowerInvariant());
}

/// <summary>What people read about a kind.</summary>
/// <param name="Name">The choice: "Patients".</param>
/// <param name="One">One of them.</param>
/// <param name="Many">Several.</param>
/// <param name="Would">What would become of good rows: "would be registered".</param>
/// <param name="Needed">Which columns it cannot do without.</param>
/// <param name="Stays">What stopping leaves.</param>
/// <param name="Twins">What rows that look like others are, for the choice of what becomes of them; null where there are none.</param>
/// <param name="Sample">Headings of the preview's first rows.</param>
internal sealed record ImportWords(string Name, string One, string Many, string Would, string Needed, string Stays, string? Twins, IReadOnlyList<string> Sample);

/// <summary>
/// What a file can hold. Uploading, mapping, preview, job and report are the same for all; what differs stands here: fields and known files, how a row is read, what becomes of it, and
/// who may import it beside <c>patient.import</c>.
/// </summary>
internal abstract class ImportKind
{
    public static ImportKind Patients { get; } = new PatientKind();

    public static ImportKind Practitioners { get; } = new PractitionerKind();

    public static ImportKind Appointments { get; } = new AppointmentKind();

    /// <summary>In the order in which they are imported: appointments name the others.</summary>
    public static IReadOnlyList<ImportKind> All { get; } = [Patients, Practitioners, Appointments];

    /// <summary>Stored with the job; never changes its meaning.</summary>
    public abstract string Code { get; }

    public abstract ImportWords Words { get; }

    public abstract ImportFieldList Fields { get; }

    /// <summary>The permission needed besides <c>patient.import</c>, or null.</summary>
    public virtual Permission? Also => null;

    /// <summary>Why this actor may have nothing to do with an import of this kind, or null.</summary>
    public virtual Error? Refusal(Actor actor, DateTimeOffset now) => Also is null || actor.Rights.Holds(Also, actor.State.Elevated, now) ? null : PlatformErrors.Forbidden;

    /// <summary>The same within an operation. Asked by every one, beside its own permission: what a file holds is known only once it is read.</summary>
    public Error? Refusal(OperationScope scope) => Refusal(scope.Actor, scope.Now);

    /// <summary>The mapping of a file whose columns are known beforehand, or null.</summary>
    public abstract ColumnMapping? Known(IReadOnlyList<string> header);

    /// <summary>Whether columns of these fields are so much what this kind needs that an unknown file is taken for it.</summary>
    public abstract bool Resembles(IReadOnlySet<string> fields);

    /// <summary>Whether several columns may hold this field.</summary>
    public virtual bool MayRepeat(string field) => false;

    /// <summary>A sentence about a field that is missing, or null.</summary>
    public abstract string? Missing(IReadOnlySet<string> fields);

    public abstract RowReader Reader(CsvShape shape, ColumnMapping mapping, Tenant clinic, DateTimeOffset now);

    public abstract RowKeeper Keeper(OperationScope scope, ColumnMapping mapping);

    /// <summary>The operation that keeps the next rows.</summary>
    public abstract Task<Result<ImportState>> RunBatch(ReferenceMonitor monitor, Caller caller, ImportBatch batch, CancellationToken cancel);

    public static ImportKind? Find(string? code) => All.FirstOrDefault(kind => kind.Code == code);

    public static ImportKind Of(string code) => Find(code) ?? throw new InvalidOperationException("No kind of import is called so.");

    /// <summary>The kind that a file with these columns most likely is, and its mapping if the columns are known beforehand.</summary>
    public static (ImportKind Kind, ColumnMapping? Mapping) Recognise(IReadOnlyList<string> header)
    {
        foreach (var kind in All)
            if (kind.Known(header) is { } known) return (kind, known);
        return (All.FirstOrDefault(kind => kind.Resembles(header.Select(kind.Fields.Guess).OfType<ImportField>().Select(field => field.Code).ToHashSet(StringComparer.Ordinal))) ?? Patients, null);
    }
}

using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Investigations;

/// <summary>What was typed when a case was opened.</summary>
/// <param name="Title">What it is called.</param>
/// <param name="Reason">Why it was opened.</param>
internal sealed record CaseDetails(string Title, string Reason) : ISealedPayload<CaseDetails>
{
    public static JsonTypeInfo<CaseDetails> Json => CaseJson.Default.CaseDetails;
}

/// <summary>What was typed when something was put into a case.</summary>
/// <param name="Why">Why it was chosen, or null.</param>
internal sealed record CaseItemDetails(string? Why) : ISealedPayload<CaseItemDetails>
{
    public static JsonTypeInfo<CaseItemDetails> Json => CaseJson.Default.CaseItemDetails;
}

/// <summary>A note's words.</summary>
internal sealed record CaseNoteDetails(string Text) : ISealedPayload<CaseNoteDetails>
{
    public static JsonTypeInfo<CaseNoteDetails> Json => CaseJson.Default.CaseNoteDetails;
}

/// <summary>A case as stored.</summary>
internal sealed class CaseRow : SealedRow<CaseDetails>
{
    /// <summary>Its events are kept in the first two: a conclusion counts once a second person agreed.</summary>
    public const string Open = "open", Concluding = "concluding", Concluded = "concluded";

    public int Number { get; init; }

    public string State { get; set; } = Open;

    public Guid OpenedBy { get; init; }

    public DateTimeOffset OpenedAt { get; init; }

    public Guid? AssignedTo { get; set; }

    /// <summary>Who may read it beside the owners.</summary>
    public required Guid[] Team { get; set; }

    /// <summary>Since when a breach of personal data is suspected, or null.</summary>
    public DateTimeOffset? AwareAt { get; set; }

    /// <summary>Who wrote the conclusion.</summary>
    public Guid? ConcludedBy { get; set; }

    /// <summary>The second person, who agreed.</summary>
    public Guid? ConfirmedBy { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public DateTimeOffset? ReopenedAt { get; set; }
}

/// <summary>Something that a case points at. <see cref="SealedRow.SubjectId"/> is a person who is named; none for events and records.</summary>
internal sealed class CaseItemRow : SealedRow<CaseItemDetails>
{
    public const string Event = "event", Person = "person", Record = "record";

    public Guid InvestigationId { get; init; }

    public required string Kind { get; init; }

    /// <summary>The event, the patient or account, or the record.</summary>
    public Guid RefId { get; init; }

    /// <summary>What that is: <c>event</c>, <c>patient</c>, <c>member</c>, or the record's entity type.</summary>
    public required string RefType { get; init; }

    public Guid AddedBy { get; init; }

    public DateTimeOffset AddedAt { get; init; }

    public Guid? RemovedBy { get; set; }

    public DateTimeOffset? RemovedAt { get; set; }

    public string? RemovedBecause { get; set; }
}

/// <summary>A note, a conclusion, or why a case was reopened. The application may add rows and change none.</summary>
internal sealed class CaseNoteRow : SealedRow<CaseNoteDetails>
{
    public const string Note = "note", Conclusion = "conclusion", Reopened = "reopened";

    public Guid InvestigationId { get; init; }

    public required string Kind { get; init; }

    /// <summary>Of a conclusion: one of <see cref="CaseOutcomes"/>.</summary>
    public string? Outcome { get; init; }

    public Guid WrittenBy { get; init; }

    public DateTimeOffset WrittenAt { get; init; }
}

internal static class CaseTables
{
    public static void Model(ModelBuilder model)
    {
        model.Entity<CaseRow>(row =>
        {
            row.ToTable("investigation");
            row.Property(found => found.State).HasAnnotation(ChaperoneDb.LoggedValue, true);
            row.Property(found => found.AwareAt).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<CaseItemRow>(row =>
        {
            row.ToTable("investigation_item");
            row.Property(item => item.RemovedBecause).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<CaseNoteRow>(row => row.ToTable("investigation_note"));
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CaseDetails))]
[JsonSerializable(typeof(CaseItemDetails))]
[JsonSerializable(typeof(CaseNoteDetails))]
internal sealed partial class CaseJson : JsonSerializerContext;

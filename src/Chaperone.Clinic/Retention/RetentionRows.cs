using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Retention;

/// <summary>Why something is kept longer.</summary>
/// <param name="Why">What was typed.</param>
public sealed record KeptBecause(string? Why) : ISealedPayload<KeptBecause>
{
    /// <inheritdoc />
    public static JsonTypeInfo<KeptBecause> Json => RetentionJson.Default.KeptBecause;
}

/// <summary>A legal hold as stored. <see cref="SealedRow.SubjectId"/> is the person whose events are kept; none for everything of the clinic.</summary>
internal sealed class LegalHoldRow : SealedRow<KeptBecause>
{
    public const string Proposed = "proposed", Placed = "placed", Releasing = "releasing", Released = "released", Withdrawn = "withdrawn";

    /// <summary>In the first three events are kept: a hold holds from the moment it is proposed until its end was agreed to.</summary>
    public string State { get; set; } = Proposed;

    public Guid ProposedBy { get; init; }

    public DateTimeOffset ProposedAt { get; init; }

    /// <summary>The second person who agreed to it.</summary>
    public Guid? PlacedBy { get; set; }

    /// <summary>Who wants it released.</summary>
    public Guid? ReleaseBy { get; set; }

    public DateTimeOffset? EndedAt { get; set; }
}

/// <summary>A longer term of one category of events.</summary>
internal sealed class LogTermRow : SealedRow<KeptBecause>
{
    public required string Category { get; init; }

    /// <summary>The category's actions whose own term is shorter.</summary>
    public required string[] Actions { get; set; }

    public int Years { get; set; }
}

internal static class RetentionTables
{
    public static void Model(ModelBuilder model)
    {
        model.Entity<LegalHoldRow>(row =>
        {
            row.ToTable("legal_hold");
            row.Property(hold => hold.State).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<LogTermRow>(row =>
        {
            row.ToTable("log_term");
            row.Property(term => term.Years).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeptBecause))]
internal sealed partial class RetentionJson : JsonSerializerContext;

using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.Streams.Receivers;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Streams;

/// <summary>Where a stream leads and what of the log goes there.</summary>
internal sealed record StreamDetails : ISealedPayload<StreamDetails>
{
    public static JsonTypeInfo<StreamDetails> Json => StreamJson.Default.StreamDetails;

    /// <summary>What people call it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Of a webhook: where it answers.</summary>
    public string? Url { get; init; }

    /// <summary>Of syslog: the receiver's host.</summary>
    public string? Host { get; init; }

    public int? Port { get; init; }

    /// <summary>PEM of the only authorities that are believed, or null for the machine's.</summary>
    public string? TrustedCa { get; init; }

    /// <summary>PEM of the certificate that is shown to the receiver, and of its key.</summary>
    public string? ClientCertificate { get; init; }

    public string? ClientKey { get; init; }

    /// <summary>Of a webhook: what messages are signed with.</summary>
    public string? Secret { get; init; }

    /// <summary>The one before, with which they are signed too until then.</summary>
    public string? OldSecret { get; init; }

    public DateTimeOffset? OldSecretUntil { get; init; }

    /// <summary>Only events of these categories, by code; empty for all.</summary>
    public IReadOnlyList<string> Categories { get; init; } = [];

    /// <summary>Only events that matter as much, by code; null for all.</summary>
    public string? Severity { get; init; }

    /// <summary>Only these actions; empty for all.</summary>
    public IReadOnlyList<string> Actions { get; init; } = [];

    // Records are printed by whoever logs them.
    public override string ToString() => nameof(StreamDetails);
}

/// <summary>A stream of the clinic's log.</summary>
internal sealed class StreamRow : SealedRow<StreamDetails>
{
    public const string Syslog = "syslog", Webhook = "webhook", Native = "native", Ocsf = "ocsf", Fhir = "fhir";

    public required string Kind { get; init; }

    public required string Shape { get; set; }

    public bool Paused { get; set; }

    public static void Model(ModelBuilder model)
    {
        model.Entity<StreamRow>(row =>
        {
            row.ToTable("log_stream");
            row.Property(stream => stream.Paused).HasAnnotation(ChaperoneDb.LoggedValue, true);
            row.Property(stream => stream.Shape).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<StreamStateRow>(row => row.ToTable("log_stream_state").HasKey(state => new { state.TenantId, state.Id }));
        model.Entity<StreamLetterRow>(row => row.ToTable("log_stream_letter").HasKey(letter => new { letter.TenantId, letter.Id }));
    }
}

/// <summary>How far a stream is.</summary>
internal sealed class StreamStateRow
{
    public Guid TenantId { get; init; }

    /// <summary>The stream's.</summary>
    public Guid Id { get; init; }

    /// <summary>Everything before it is acknowledged, filtered out, or was skipped by somebody.</summary>
    public long NextIndex { get; set; }

    /// <summary>Where the message on its way ends: it is sent again exactly so.</summary>
    public long? PendingEnd { get; set; }

    /// <summary>One event to a message up to here.</summary>
    public long SingleUntil { get; set; }

    public DateTimeOffset? AcknowledgedAt { get; set; }

    public int Attempts { get; set; }

    /// <summary>A <see cref="StreamFault"/>, by name.</summary>
    public string? Fault { get; set; }

    public int? Answer { get; set; }

    public DateTimeOffset? FailingSince { get; set; }

    public DateTimeOffset? RetryAt { get; set; }

    public bool Told { get; set; }

    /// <summary>The message that was given up and that somebody must decide about.</summary>
    public Guid? LetterId { get; set; }
}

/// <summary>A message that the receiver refused for good.</summary>
internal sealed class StreamLetterRow
{
    public const string Again = "again", Skipped = "skipped";

    public Guid TenantId { get; init; }

    public Guid Id { get; init; }

    public Guid StreamId { get; init; }

    public long LogIndex { get; init; }

    public Guid EventId { get; init; }

    public required string Fault { get; init; }

    public int? Answer { get; init; }

    public int Attempts { get; init; }

    public DateTimeOffset GivenUpAt { get; init; }

    public DateTimeOffset? DecidedAt { get; set; }

    public string? Decision { get; set; }
}

/// <summary>Streams as what operations are about.</summary>
internal static class StreamResource
{
    public static readonly Resource Stream = Resource.Define("log_stream", "SELECT 1 FROM clinic.log_stream WHERE id = $1");

    public static readonly Resource Letter = Resource.Define("log_stream_letter", "SELECT 1 FROM clinic.log_stream_letter WHERE id = $1");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StreamDetails))]
[JsonSerializable(typeof(StreamInput))]
internal sealed partial class StreamJson : JsonSerializerContext;

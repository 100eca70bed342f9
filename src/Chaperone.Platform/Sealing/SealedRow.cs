using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Ledger;

namespace Chaperone.Platform.Sealing;

/// <summary>A payload that is sealed as one JSON document: every personal field of a row.</summary>
public interface ISealedPayload<T> where T : class, ISealedPayload<T>
{
    /// <summary>The source-generated serialiser of this payload.</summary>
    static abstract JsonTypeInfo<T> Json { get; }
}

/// <summary>
/// A tenant row: ids, clear columns, and one sealed payload. Clear columns are only what the database must filter, order or constrain by.
/// Rows are opened through <see cref="Operations.OperationScope"/>, which registers the person they are about; the payload is sealed when the monitor saves.
/// </summary>
public abstract class SealedRow
{
    private protected byte[]? OpenedJson { get; private set; }

    /// <summary>The clinic; set by the monitor.</summary>
    public Guid TenantId { get; internal set; }

    /// <summary>The row's id.</summary>
    public Guid Id { get; init; }

    /// <summary>Whose data it is; null for rows about nobody, which are sealed with the clinic's data key.</summary>
    public Guid? SubjectId { get; init; }

    /// <summary>Version of the key the payload is sealed with.</summary>
    public int KeyVersion { get; internal set; }

    /// <summary>1 at first, one more with each change; bound into the seal, and the ETag.</summary>
    public long Version { get; internal set; }

    /// <summary>The sealed payload. Named as its column.</summary>
    public byte[] Sealed { get; internal set; } = [];

    internal bool IsOpen => OpenedJson is not null;

    /// <summary>Whether the payload was replaced since it was opened; a payload merely read is never written again, whatever its schema was.</summary>
    private protected bool Replaced { get; set; }

    internal virtual void Unseal(byte[] json) => NowStands(json);

    /// <summary>The payload was sealed as this document: later changes are told against it.</summary>
    internal void NowStands(byte[] json) => (OpenedJson, Replaced) = (json, false);

    internal abstract byte[] PayloadJson();

    /// <summary>The top-level fields in which the payload now differs from what was opened, in name order: set, changed or cleared.</summary>
    internal IReadOnlyList<FieldChange> FieldChanges()
    {
        if (OpenedJson is null || !Replaced) return [];
        var now = PayloadJson();
        if (OpenedJson.AsSpan().SequenceEqual(now)) return [];
        using var before = JsonDocument.Parse(OpenedJson);
        using var after = JsonDocument.Parse(now);
        var names = before.RootElement.EnumerateObject().Concat(after.RootElement.EnumerateObject()).Select(property => property.Name);
        return
        [
            .. names.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
                .Select(name => (name, from: Text(before, name), to: Text(after, name)))
                .Where(field => field.from != field.to)
                .Select(field => new FieldChange(field.name, field.from is null ? "set" : field.to is null ? "cleared" : "changed")),
        ];

        static string? Text(JsonDocument document, string name) =>
            document.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;
    }
}

/// <summary>A tenant row whose payload is a <typeparamref name="T"/>.</summary>
public abstract class SealedRow<T> : SealedRow where T : class, ISealedPayload<T>
{
    private T? payload;

    /// <summary>The opened payload. Reading it before the row was opened is a bug. Replace it to change it: payloads are immutable records.</summary>
    public T Payload
    {
        get => payload ?? throw new InvalidOperationException($"{GetType().Name} {Id} was not opened; query it through the operation's scope.");
        set => (payload, Replaced) = (value, true);
    }

    internal override void Unseal(byte[] json)
    {
        base.Unseal(json);
        payload = JsonSerializer.Deserialize(json, T.Json) ?? throw new InvalidDataException($"{GetType().Name} {Id} holds an empty payload.");
    }

    internal override byte[] PayloadJson() => JsonSerializer.SerializeToUtf8Bytes(Payload, T.Json);
}

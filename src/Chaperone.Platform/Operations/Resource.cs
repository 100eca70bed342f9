namespace Chaperone.Platform.Operations;

/// <summary>A sort of thing operations are about, and how an actor's relation to one of them is found.</summary>
/// <remarks>
/// The relation query runs as the app role with the clinic set, in the round trip that begins the transaction. $1 is the resource's id, $2 the actor's
/// account id, $3 the id of the patient the account belongs to (or null), $4 the moment, for relations that end. It answers a number of <see cref="Access.Relation"/>, or no row for none.
/// </remarks>
public sealed class Resource
{
    private Resource(string type, string? relationSql) => (Type, RelationSql) = (type, relationSql);

    /// <summary>The entity type in events: <c>patient</c>.</summary>
    public string Type { get; }

    /// <summary>The relation query; null where everything of the sort belongs to the clinic as a whole.</summary>
    public string? RelationSql { get; }

    /// <summary>The clinic itself: settings, the log, exports of everything.</summary>
    public static Resource Clinic { get; } = new("clinic", null);

    /// <summary>Declares a sort of resource.</summary>
    public static Resource Define(string type, string relationSql) => new(type, relationSql);
}

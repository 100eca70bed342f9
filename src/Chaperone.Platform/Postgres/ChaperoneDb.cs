using System.Text;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Platform.Postgres;

/// <summary>What one feature adds to the model: its tables.</summary>
public sealed record ModelPart(Action<ModelBuilder> Build);

/// <summary>A wrapped subject key as stored.</summary>
public sealed class SubjectKeyRow
{
    /// <summary>The clinic.</summary>
    public Guid TenantId { get; init; }

    /// <summary>Whose key it is.</summary>
    public Guid SubjectId { get; init; }

    /// <summary>1 at first; the next one takes over when a key has sealed enough.</summary>
    public int Version { get; init; }

    /// <summary>The key's id, bound into every seal made with it.</summary>
    public Guid Id { get; init; }

    /// <summary>The key wrapped under the clinic's; null once destroyed.</summary>
    public byte[]? Wrapped { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was destroyed.</summary>
    public DateTimeOffset? DestroyedAt { get; init; }
}

/// <summary>A blind index token: this row holds a value with this token.</summary>
public sealed class BlindIndexRow
{
    /// <summary>The clinic.</summary>
    public Guid TenantId { get; init; }

    /// <summary>Which index; odd numbers are unique within the clinic.</summary>
    public short IndexId { get; init; }

    /// <summary>The token, 8 or 16 bytes.</summary>
    public required byte[] Token { get; init; }

    /// <summary>The row that holds the value.</summary>
    public Guid RowId { get; init; }
}

/// <summary>Another system's id for one of our entities, as a blind index.</summary>
public sealed class ExternalIdRow
{
    /// <summary>The clinic.</summary>
    public Guid TenantId { get; init; }

    /// <summary>The other system, such as <c>synthea</c>.</summary>
    public required string Source { get; init; }

    /// <summary>What it is an id of.</summary>
    public required string EntityType { get; init; }

    /// <summary>Blind index of the other system's id.</summary>
    public required byte[] Token { get; init; }

    /// <summary>Our id.</summary>
    public Guid EntityId { get; init; }
}

/// <summary>A blind index of another system's id, and what it is an id of.</summary>
public readonly record struct KnownExternalId(byte[] Token, Guid EntityId);

internal sealed record ExternalIdLook(byte[] Token, Guid? EntityId);

/// <summary>
/// Entity Framework's view of the clinic's tables. The schema is the SQL under db/; a test compares the two. Names are snake case of the properties'.
/// Every context lives inside one operation's transaction, in which row-level security shows one clinic.
/// </summary>
public sealed class ChaperoneDb(DbContextOptions<ChaperoneDb> options) : DbContext(options)
{
    /// <summary>Columns whose values, not only names, events may carry: never personal.</summary>
    public const string LoggedValue = "chaperone:logged-value";

    internal DbSet<SubjectKeyRow> SubjectKeys => Set<SubjectKeyRow>();

    /// <summary>Which of these blind indexes of another system's ids are known, and what they are here.</summary>
    /// <remarks>
    /// A look at the key for each. Asked as one set, the planner reads all ids of the source and compares each with each while an import fills the table faster than anybody counts it.
    /// </remarks>
    public async Task<IReadOnlyList<KnownExternalId>> FindExternalIds(string source, string entityType, byte[][] tokens, CancellationToken cancel) =>
        (await Database.SqlQuery<ExternalIdLook>(
            $"""
            SELECT w.token AS "Token", (SELECT e.entity_id FROM clinic.external_id e WHERE e.source = {source} AND e.entity_type = {entityType} AND e.token = w.token) AS "EntityId"
            FROM unnest({tokens}) AS w (token)
            """).ToListAsync(cancel)).Where(look => look.EntityId is not null).Select(look => new KnownExternalId(look.Token, look.EntityId!.Value)).ToArray();

    /// <inheritdoc />
    protected override void OnModelCreating(ModelBuilder model)
    {
        model.HasDefaultSchema("clinic");
        model.Entity<SubjectKeyRow>(row => row.ToTable("subject_key", "keys").HasKey(key => new { key.TenantId, key.SubjectId, key.Version }));
        model.Entity<BlindIndexRow>(row => row.ToTable("blind_index").HasKey(token => new { token.TenantId, token.IndexId, token.Token, token.RowId }));
        model.Entity<ExternalIdRow>(row => row.ToTable("external_id").HasKey(id => new { id.TenantId, id.Source, id.EntityType, id.Token }));
        foreach (var part in PartsOf(this)) part.Build(model);

        foreach (var entity in model.Model.GetEntityTypes())
        {
            if (typeof(SealedRow).IsAssignableFrom(entity.ClrType))
            {
                var row = model.Entity(entity.ClrType);
                row.HasKey(nameof(SealedRow.TenantId), nameof(SealedRow.Id));
                row.Property(nameof(SealedRow.Version)).IsConcurrencyToken();
                row.Ignore("Payload");
            }
            foreach (var property in entity.GetProperties())
            {
                property.SetColumnName(SnakeCase(property.Name));
                property.ValueGenerated = ValueGenerated.Never;
            }
        }
    }

    /// <summary>The features' parts, from the application's container: EF's own would answer with none.</summary>
    private static IEnumerable<ModelPart> PartsOf(DbContext context) =>
        context.GetService<IDbContextOptions>().FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider?.GetServices<ModelPart>() ?? [];

    /// <summary>One model for each set of features: EF shares models between containers.</summary>
    internal sealed class ModelOfParts : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) =>
            (context.GetType(), designTime, string.Join('|', PartsOf(context).Select(part => $"{part.Build.Method.DeclaringType}.{part.Build.Method.Name}")));
    }

    internal static string SnakeCase(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && snake.Length > 0) snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }
        return snake.ToString();
    }
}

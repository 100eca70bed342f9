using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace Chaperone.Platform.Postgres;

internal static class ModelNames
{
    /// <summary>Schema and table of an entity, as events and associated data name it.</summary>
    public static string TableOf(this ChaperoneDb db, Type entity) => Name(db.Model.FindEntityType(entity)
        ?? throw new InvalidOperationException($"{entity.Name} is not part of the model."));

    /// <summary>Schema and table.</summary>
    public static string Name(this IReadOnlyEntityType entity) => $"{entity.GetSchema()}.{entity.GetTableName()}";
}

using System.Collections.Concurrent;
using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace Chaperone.Platform.Postgres;

/// <summary>A sealed row with its subject's key.</summary>
internal sealed record RowWithKey(string Table, SealedRow Row, Guid? KeyId, byte[]? Wrapped);

/// <summary>
/// The hottest query there is, a sealed row by its id with the key it is sealed with, as a command that can travel with others: what Entity Framework has of the entity's columns, without a
/// context. Row-level security decides as for any other query.
/// </summary>
internal sealed class RowById
{
    private static readonly ConditionalWeakTable<IModel, ConcurrentDictionary<Type, RowById>> Known = [];
    private readonly string table;
    private readonly string sql;
    private readonly Func<NpgsqlDataReader, SealedRow> read;
    private readonly int columns;

    private RowById(IEntityType entity)
    {
        var properties = entity.GetProperties().ToArray();
        table = entity.Name();
        columns = properties.Length;
        sql = $"""
            SELECT {string.Join(", ", properties.Select(property => $"r.{property.GetColumnName()}"))}, k.id, k.wrapped
              FROM {table} r LEFT JOIN keys.subject_key k ON k.tenant_id = r.tenant_id AND k.subject_id = r.subject_id AND k.version = r.key_version
             WHERE r.tenant_id = $1 AND r.id = $2
            """;
        var reader = Expression.Parameter(typeof(NpgsqlDataReader));
        read = Expression.Lambda<Func<NpgsqlDataReader, SealedRow>>(
            Expression.MemberInit(Expression.New(entity.ClrType), properties.Select((property, i) => Expression.Bind(property.PropertyInfo!, Value(reader, property, i)))), reader).Compile();
    }

    /// <summary>The query of this entity.</summary>
    public static RowById Of(IModel model, Type row) => Known.GetOrCreateValue(model).GetOrAdd(row, static (type, model) =>
        new(model.FindEntityType(type) ?? throw new InvalidOperationException($"{type.Name} is not part of the model.")), model);

    /// <summary>Answers one row, or none.</summary>
    public NpgsqlBatchCommand Command(Guid tenant, Guid id) =>
        new(sql) { Parameters = { new NpgsqlParameter<Guid> { TypedValue = tenant }, new NpgsqlParameter<Guid> { TypedValue = id } } };

    /// <summary>The row the reader stands on, not opened.</summary>
    /// <exception cref="InvalidDataException">It is not the row asked for: queries travel together, and an answer must never reach another's question.</exception>
    public RowWithKey Read(NpgsqlDataReader reader, Guid tenant, Guid id)
    {
        var row = read(reader);
        if (row.TenantId != tenant || row.Id != id) throw new InvalidDataException($"{table} {id} was asked for, another row came.");
        return new(table, row, reader.IsDBNull(columns) ? null : reader.GetGuid(columns), reader.IsDBNull(columns + 1) ? null : reader.GetFieldValue<byte[]>(columns + 1));
    }

    private static Expression Value(ParameterExpression reader, IProperty property, int ordinal)
    {
        var converter = property.GetRelationalTypeMapping().Converter;
        var (at, stored) = (Expression.Constant(ordinal), converter?.ProviderClrType ?? property.ClrType);
        stored = Nullable.GetUnderlyingType(stored) ?? stored;
        Expression value = Expression.Call(reader, nameof(NpgsqlDataReader.GetFieldValue), [stored], at);
        if (converter is not null) value = Expression.Invoke(converter.ConvertFromProviderExpression, value);
        if (value.Type != property.ClrType) value = Expression.Convert(value, property.ClrType);
        return property.IsNullable ? Expression.Condition(Expression.Call(reader, nameof(NpgsqlDataReader.IsDBNull), null, at), Expression.Default(property.ClrType), value) : value;
    }
}

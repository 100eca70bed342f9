using System.Text;
using System.Xml;
using System.Xml.Linq;
using Chaperone.Encryption;
using Chaperone.Platform;
using Chaperone.Platform.Postgres;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Npgsql;

namespace Chaperone.Server.Hosting;

/// <summary>ASP.NET Core's Data Protection keys in PostgreSQL, each sealed under the root key, so that every node has them and no disk shows them.</summary>
internal sealed class SealedKeyRepository(Databases databases, RootKey root, TimeProvider clock) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var command = databases.Keys.CreateCommand("SELECT id, sealed FROM directory.data_protection_key ORDER BY created_at");
        using var reader = command.ExecuteReader();
        var elements = new List<XElement>();
        while (reader.Read())
        {
            var id = reader.GetGuid(0);
            var xml = root.Unwrap(reader.GetFieldValue<byte[]>(1), Context(id), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            using var text = XmlReader.Create(new MemoryStream(xml), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
            elements.Add(XElement.Load(text));
        }
        return elements;
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        var now = clock.GetUtcNow();
        var id = Ids.New(now);
        var sealedXml = root.Wrap(Encoding.UTF8.GetBytes(element.ToString(SaveOptions.DisableFormatting)), Context(id), CancellationToken.None).AsTask().GetAwaiter().GetResult();
        using var command = databases.Keys.CreateCommand("INSERT INTO directory.data_protection_key (id, created_at, sealed) VALUES ($1, $2, $3)");
        command.Parameters.Add(new NpgsqlParameter { Value = id });
        command.Parameters.Add(new NpgsqlParameter { Value = now });
        command.Parameters.Add(new NpgsqlParameter { Value = sealedXml });
        command.ExecuteNonQuery();
    }

    private static WrapContext Context(Guid id) => new(Guid.Empty, id, KeyKind.DataProtection, 1);
}

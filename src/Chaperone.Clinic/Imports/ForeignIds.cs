using Chaperone.Clinic.SignIn;
using Chaperone.Encryption;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Imports;

/// <summary>Ids that other systems have for things of ours, within one operation. Stored as blind indexes.</summary>
/// <param name="scope">The operation.</param>
/// <param name="of">What they are ids of: <see cref="Member"/> or <see cref="Appointment"/>. Patients' are kept by their register.</param>
internal sealed class ForeignIds(OperationScope scope, string of)
{
    public const string Member = "member", Appointment = "appointment";

    /// <summary>Which of these ids are known, and what they are here.</summary>
    public async Task<IReadOnlyDictionary<string, Guid>> FindAsync(string source, IEnumerable<string> ids, CancellationToken cancel)
    {
        var index = await IndexAsync(cancel);
        var tokens = ids.Distinct(StringComparer.Ordinal).ToDictionary(id => Convert.ToHexString(index.Exact(id)), StringComparer.Ordinal);
        if (tokens.Count == 0) return new Dictionary<string, Guid>();
        var wanted = tokens.Keys.Select(Convert.FromHexString).ToArray();
        var found = await scope.Db.FindExternalIds(source, of, wanted, cancel);
        return found.ToDictionary(row => tokens[Convert.ToHexString(row.Token)], row => row.EntityId, StringComparer.Ordinal);
    }

    /// <summary>Everything that has an id of this source. For what there is little of.</summary>
    public async Task<IReadOnlySet<Guid>> WithAsync(string source, CancellationToken cancel) => (await scope.Db.Set<ExternalIdRow>().Where(row => row.Source == source && row.EntityType == of).Select(row => row.EntityId).ToListAsync(cancel)).ToHashSet();

    public async Task AddAsync(string source, IReadOnlyList<(string Id, Guid Entity)> ids, CancellationToken cancel)
    {
        if (ids.Count == 0) return;
        var index = await IndexAsync(cancel);
        await scope.Writer.Insert(ids.Select(id => new ExternalIdRow { TenantId = scope.Tenant.Id, Source = source, EntityType = of, Token = index.Exact(id.Id), EntityId = id.Entity }).ToArray(), cancel);
    }

    private ValueTask<BlindIndexKey> IndexAsync(CancellationToken cancel) => scope.BlindIndex(of + ".external_id", cancel);
}

/// <summary>Who is on the team, patients' accounts excepted, by name and by address. Opened to compare, shown to nobody.</summary>
internal sealed class Roster
{
    private static readonly HashSet<string> FormsOfAddress = new(StringComparer.Ordinal) { "dr", "prof", "professor", "mr", "mrs", "ms", "miss", "mx", "sr", "sister", "nurse" };

    private readonly ILookup<string, Guid> byName;
    private readonly ILookup<string, Guid> byAddress;
    private readonly Dictionary<string, Guid[]> asked = new(StringComparer.Ordinal);   // files name the same few people again and again

    private Roster(IReadOnlyList<MemberRow> members)
    {
        byName = members.ToLookup(member => Key(member.Payload.Name), member => member.Id, StringComparer.Ordinal);
        byAddress = members.Where(member => member.Payload.Email.Length > 0).ToLookup(member => Normaliser.Email(member.Payload.Email), member => member.Id, StringComparer.Ordinal);
    }

    public static async Task<Roster> OpenAsync(OperationScope scope, CancellationToken cancel) =>
        new(await scope.OpenCandidates(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => member.PatientId == null), cancel));

    public IReadOnlyList<Guid> Named(string name) => asked.TryGetValue(name, out var found) ? found : asked[name] = [.. byName[Key(name)]];

    public IEnumerable<Guid> At(string address) => byAddress[Normaliser.Email(address)];

    /// <summary>A name as names are compared: without forms of address.</summary>
    public static string Key(string name)
    {
        var words = Normaliser.Name(name).Split(' ');
        return string.Join(' ', words.SkipWhile(FormsOfAddress.Contains));
    }
}

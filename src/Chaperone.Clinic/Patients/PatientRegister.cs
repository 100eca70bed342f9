using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Patients;

/// <summary>A registered patient who may be the same person.</summary>
/// <param name="Id">Their id.</param>
/// <param name="SameNhsNumber">Whether it is the NHS number that agrees; else name and date of birth do.</param>
internal sealed record Twin(Guid Id, bool SameNhsNumber);

/// <summary>
/// The register within one operation: puts patients in and keeps the tokens that find them. Whoever changes a patient's details does it here, or they are not found.
/// The details given are tidied and valid already.
/// </summary>
internal sealed class PatientRegister(OperationScope scope)
{
    private const string EntityType = "patient";
    private PatientIndex? index;

    private DbSet<BlindIndexRow> Tokens => scope.Db.Set<BlindIndexRow>();

    public async ValueTask<PatientIndex> IndexAsync(CancellationToken cancel) => index ??= await PatientIndex.LoadAsync(scope, cancel);

    /// <summary>Puts one new patient in.</summary>
    public async Task<PatientRow> Add(PersonDetails details, CancellationToken cancel)
    {
        var row = PatientRow.Register(details, scope.NewId(), scope.Now);
        scope.Add(row);
        scope.OnConflict("blind_index_unique", PatientErrors.NhsNumberTaken);
        await InsertTokens([row], cancel);
        return row;
    }

    /// <summary>Puts many new patients in, in a few statements. The caller has checked twins, NHS numbers and external ids (<see cref="FindTwinsOfAll"/>, <see cref="FindExternal"/>).</summary>
    public async Task<IReadOnlyList<PatientRow>> AddMany(IReadOnlyList<PersonDetails> details, CancellationToken cancel)
    {
        var rows = details.Select(person => PatientRow.Register(person, scope.NewId(), scope.Now)).ToArray();
        await AddRows(rows, cancel);
        return rows;
    }

    /// <summary>The same for rows that bring their own dates.</summary>
    public async Task AddRows(IReadOnlyList<PatientRow> rows, CancellationToken cancel)
    {
        scope.OnConflict("blind_index_unique", PatientErrors.NhsNumberTaken);
        await scope.Writer.Insert(rows, cancel);
        foreach (var row in rows) scope.Show(row);
        await InsertTokens(rows, cancel);
    }

    /// <summary>Gives a patient that was opened new details, and keeps the tokens in step.</summary>
    public async Task Change(PatientRow row, PersonDetails details, CancellationToken cancel)
    {
        row.Payload = details;
        scope.OnConflict("blind_index_unique", PatientErrors.NhsNumberTaken);
        var wanted = (await IndexAsync(cancel)).TokensFor(scope.Tenant.Id, row.Id, details).ToDictionary(Key);
        var stored = await Tokens.AsNoTracking().Where(token => token.RowId == row.Id).ToListAsync(cancel);
        var gone = stored.Where(token => !wanted.Remove(Key(token))).ToList();   // what is left of wanted is new
        foreach (var of in gone.GroupBy(token => token.IndexId))
        {
            var (indexId, tokens) = (of.Key, of.Select(token => token.Token).ToArray());
            await Tokens.Where(token => token.IndexId == indexId && tokens.Contains(token.Token) && token.RowId == row.Id).ExecuteDeleteAsync(cancel);
        }
        await scope.Writer.Insert(wanted.Values.ToArray(), cancel);

        static (short, string) Key(BlindIndexRow token) => (token.IndexId, Convert.ToHexString(token.Token));
    }

    /// <summary>Registered patients who are likely the same person, archived ones too.</summary>
    public async Task<IReadOnlyList<Twin>> FindTwins(PersonDetails details, Guid? except, CancellationToken cancel) =>
        (await FindTwinsOfAll([details], cancel))[0].Where(twin => twin.Id != except).ToArray();

    /// <summary>The same for many at once: one list for each, in order, of at most ten.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<Twin>>> FindTwinsOfAll(IReadOnlyList<PersonDetails> people, CancellationToken cancel)
    {
        var keys = await IndexAsync(cancel);
        var persons = people.Select(person => keys.PersonTokens(person).ToArray()).ToArray();
        var numbers = people.Select(person => person.NhsNumber is { } number ? keys.NhsNumberToken(number) : null).ToArray();
        var byPerson = await Holders(PatientIndex.Person, [.. persons.SelectMany(tokens => tokens)], cancel);
        var byNumber = await Holders(PatientIndex.NhsNumber, [.. numbers.OfType<byte[]>()], cancel);
        return
        [
            .. people.Select((_, i) => (IReadOnlyList<Twin>)
            [
                .. (numbers[i] is { } number ? byNumber[Convert.ToHexString(number)].Select(id => new Twin(id, true)) : [])
                    .Concat(persons[i].SelectMany(token => byPerson[Convert.ToHexString(token)]).Select(id => new Twin(id, false)))
                    .DistinctBy(twin => twin.Id).Take(10),
            ]),
        ];
    }

    /// <summary>Which of these ids of another system are registered here already.</summary>
    public async Task<IReadOnlyDictionary<string, Guid>> FindExternal(string source, IReadOnlyCollection<string> ids, CancellationToken cancel)
    {
        var keys = await IndexAsync(cancel);
        var tokens = ids.Distinct(StringComparer.Ordinal).ToDictionary(id => Convert.ToHexString(keys.ExternalIdToken(new(source, id))), StringComparer.Ordinal);
        var wanted = tokens.Keys.Select(Convert.FromHexString).ToArray();
        var found = await scope.Db.FindExternalIds(source, EntityType, wanted, cancel);
        return found.ToDictionary(row => tokens[Convert.ToHexString(row.Token)], row => row.EntityId, StringComparer.Ordinal);
    }

    /// <summary>Which patients have these NHS numbers.</summary>
    public async Task<IReadOnlyDictionary<string, Guid>> FindNhsNumbers(IReadOnlyCollection<string> numbers, CancellationToken cancel)
    {
        var keys = await IndexAsync(cancel);
        var tokens = numbers.Distinct(StringComparer.Ordinal).ToDictionary(number => Convert.ToHexString(keys.NhsNumberToken(number)), StringComparer.Ordinal);
        var holders = await Holders(PatientIndex.NhsNumber, [.. tokens.Keys.Select(Convert.FromHexString)], cancel);
        return holders.ToDictionary(of => tokens[of.Key], of => of.First(), StringComparer.Ordinal);
    }

    /// <summary>Whether the actor may see patients they have no closer relation to: only then may an answer name a twin.</summary>
    public bool MayNameOthers => scope.Actor.Rights.WeakestRelation(Permission.PatientView, scope.Actor.State.Elevated, scope.Now) <= Relation.SameClinic;

    /// <summary>The refusal that these twins are, or null: another's NHS number always, anybody else unless confirmed.</summary>
    public Error? Refusal(IReadOnlyList<Twin> twins, bool confirmedNotDuplicate)
    {
        var named = MayNameOthers ? twins : [];
        if (twins.Any(twin => twin.SameNhsNumber)) return PatientErrors.NhsNumberTaken.Of([.. named.Where(twin => twin.SameNhsNumber)]);
        return twins.Count > 0 && !confirmedNotDuplicate ? PatientErrors.LikelyDuplicate.Of(named) : null;
    }

    private async Task<ILookup<string, Guid>> Holders(short indexId, byte[][] tokens, CancellationToken cancel)
    {
        if (tokens.Length == 0) return Enumerable.Empty<Guid>().ToLookup(_ => "");
        var found = await Tokens.AsNoTracking().Where(row => row.IndexId == indexId && tokens.Contains(row.Token)).Select(row => new { row.Token, row.RowId }).ToListAsync(cancel);
        return found.OrderBy(row => row.RowId).ToLookup(row => Convert.ToHexString(row.Token), row => row.RowId, StringComparer.Ordinal);
    }

    private async Task InsertTokens(IReadOnlyList<PatientRow> rows, CancellationToken cancel)
    {
        var keys = await IndexAsync(cancel);
        await scope.Writer.Insert(rows.SelectMany(row => keys.TokensFor(scope.Tenant.Id, row.Id, row.Payload)).ToArray(), cancel);
        await scope.Writer.Insert(
            rows.SelectMany(row => row.Payload.ExternalIds.Select(id => new ExternalIdRow { TenantId = scope.Tenant.Id, Source = id.Source, EntityType = EntityType, Token = keys.ExternalIdToken(id), EntityId = row.Id })).ToArray(),
            cancel);
    }
}

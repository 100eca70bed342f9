using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Microsoft.EntityFrameworkCore;

namespace Chaperone.Clinic.Settings;

/// <summary>Whom the clinic has named. Ids of accounts; whether they still can be contacts, <see cref="ClinicContacts"/> tells.</summary>
/// <param name="PrivacyLead">Null until somebody is named.</param>
/// <param name="SecurityContacts">Empty until somebody is named.</param>
public sealed record NamedContacts(Guid? PrivacyLead, IReadOnlyList<Guid> SecurityContacts) : ISealedPayload<NamedContacts>
{
    /// <inheritdoc/>
    public static JsonTypeInfo<NamedContacts> Json => ClinicSettingsJson.Default.NamedContacts;
}

/// <summary>The clinic's settings beside its row in the directory, under the clinic's own id. There is none until something is changed.</summary>
internal sealed class ClinicSettingsRow : SealedRow<NamedContacts>
{
    /// <summary>A <see cref="Settings.WorkingWeek"/>.</summary>
    public required string WorkingWeek { get; set; }

    public static void Model(ModelBuilder model)
    {
        model.Entity<ClinicSettingsRow>(row =>
        {
            row.ToTable("clinic_settings");
            row.Property(settings => settings.WorkingWeek).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<ClinicLogoRow>(row => row.ToTable("clinic_logo"));
    }
}

/// <summary>Reads the clinic's settings inside other operations.</summary>
internal static class ClinicSettings
{
    /// <summary>The working week of who has no hours of their own.</summary>
    public static async Task<WorkingWeek> WorkingWeekAsync(OperationScope scope, CancellationToken cancel) =>
        await scope.Db.Set<ClinicSettingsRow>().AsNoTracking().Select(row => row.WorkingWeek).FirstOrDefaultAsync(cancel) is { } stored ? WorkingWeek.Parse(stored) : WorkingWeek.Usual;

    /// <summary>The row, opened; where there is none, what holds without one, with version 0 and in no table.</summary>
    public static async Task<ClinicSettingsRow> ReadAsync(OperationScope scope, CancellationToken cancel) =>
        await scope.OpenOne(scope.Db.Set<ClinicSettingsRow>(), cancel) ?? new() { Id = scope.Tenant.Id, WorkingWeek = WorkingWeek.Usual.ToString(), Payload = new(null, []) };
}

/// <summary>The clinic's settings.</summary>
/// <param name="WithPeople">Whether to show everybody who can be named as a contact, for the form.</param>
internal sealed record ViewClinicSettings(bool WithPeople = false) : IOperation<ClinicSettingsView>
{
    public static Policy Policy { get; } = Policy.Reads("settings.viewed").Needs(Permission.SettingsEdit).About(Resource.Clinic);
}

/// <summary>The settings as they are.</summary>
/// <param name="Name">What people call the clinic.</param>
/// <param name="Host">Its host name.</param>
/// <param name="Zone">IANA time zone.</param>
/// <param name="Week">When it is open.</param>
/// <param name="Named">Whom it has named.</param>
/// <param name="LogoId">Its picture, or null.</param>
/// <param name="Version">For the change.</param>
/// <param name="People">Who can be named, and who is named and cannot be any more; by name. Empty unless asked for.</param>
public sealed record ClinicSettingsView(
    string Name, string Host, string Zone, WorkingWeek Week, NamedContacts Named, Guid? LogoId, long Version, IReadOnlyList<ContactChoice> People);

/// <summary>Somebody who is or could be a contact.</summary>
/// <param name="Id">The account.</param>
/// <param name="Name">Their name.</param>
/// <param name="Roles">What they are, in words.</param>
/// <param name="CanBe">False for who was named and cannot be one any more.</param>
public sealed record ContactChoice(Guid Id, string Name, string Roles, bool CanBe);

internal sealed class ViewClinicSettingsHandler : IHandler<ViewClinicSettings, ClinicSettingsView>
{
    public async Task<Result<ClinicSettingsView>> Handle(ViewClinicSettings request, OperationScope scope, CancellationToken cancel)
    {
        var row = await ClinicSettings.ReadAsync(scope, cancel);
        var named = row.Payload;
        var people = new List<ContactChoice>();
        if (request.WithPeople)
        {
            var able = await ClinicContacts.AbleAsync(scope, cancel);
            Guid[] shown = [.. able.Select(member => member.Id).Union(named.SecurityContacts).Union(named.PrivacyLead is { } lead ? [lead] : [])];
            var rows = await scope.Open(scope.Db.Set<MemberRow>().AsNoTracking().Where(member => shown.Contains(member.Id)), cancel);
            people.AddRange(rows.Select(member => new ContactChoice(member.Id, member.Payload.Name, string.Join(", ", member.Roles.Select(SignInFeature.DisplayName)), able.Any(other => other.Id == member.Id)))
                .OrderBy(choice => choice.Name, StringComparer.CurrentCultureIgnoreCase));
        }
        return new ClinicSettingsView(scope.Tenant.Name, scope.Tenant.Host, scope.Tenant.Zone, WorkingWeek.Parse(row.WorkingWeek), named, scope.Tenant.LogoId, row.Version, people);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(NamedContacts))]
[JsonSerializable(typeof(LogoImage))]
internal sealed partial class ClinicSettingsJson : JsonSerializerContext;

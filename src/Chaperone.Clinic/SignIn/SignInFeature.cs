using Chaperone.Clinic.Settings;
using Chaperone.Clinic.Shell;
using Chaperone.Clinic.Team;
using Chaperone.Platform.Access;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Clinic.SignIn;

/// <summary>Accounts, signing in, sessions, two-factor.</summary>
public static class SignInFeature
{
    /// <summary>Adds what signing in needs. Data Protection must be there too.</summary>
    public static IServiceCollection AddSignIn(this IServiceCollection services) => services
        .AddSingleton(new ModelPart(Tables))
        .AddSingleton<Passwords>()
        .AddSingleton<NetworkLimit>()
        .AddSingleton<Actors>()
        .AddSingleton<Proofs>()
        .AddSingleton<OneTimeLinks>()
        .AddSingleton<HandedLinks>()
        .AddSingleton<SignInMails>()
        .AddSingleton<ForgottenDesk>().AddHostedService(provider => provider.GetRequiredService<ForgottenDesk>())
        .AddSingleton<SessionReader>()
        .AddSingleton<SignInDesk>()
        .AddSingleton<AccountDesk>()
        .AddSingleton<ClinicCreation>()
        .AddSingleton<SetUpLinks>()
        .AddSingleton<MemberReader>()
        .AddClinicSettings()
        .AddSingleton(new NavPlace(890, TeamPages.List, "Team", "users-group", Permission.TeamManage, "Settings"))
        .AddSingleton(new NavPlace(900, SecuritySettings.Path, "Overview", "shield-lock", Permission.SecurityManage, NavPlace.Security))
        .AddSingleton(new NavPlace(902, SecuritySettings.Sessions, "Sessions", "login", Permission.SecurityManage, NavPlace.Security))
        .AddSingleton(new NavPlace(904, SecuritySettings.Devices, "Trusted devices", "device-laptop", Permission.SecurityManage, NavPlace.Security))
        .AddSingleton(new NavPlace(990, "/account/security", "Your account", "user-circle", null, NavPlace.Security))
        .AddSingleton(new NavPlace(995, ProfilePages.Own, "Your profile", "id-badge-2", null, "You"))
        .AddSingleton(new PersonOfRequest(Person))
        .AddSingleton(new StepUpOfRequest(AccountPages.AskForCode));

    /// <summary>Maps its routes and pages.</summary>
    public static void MapSignIn(IEndpointRouteBuilder routes)
    {
        AuthApi.Map(routes.MapGroup("").WithTags("Signing in"));
        SignInPages.Map(routes);
        AccountPages.Map(routes);
        ForgottenPages.Map(routes);
        TeamApi.Map(routes);
        TeamPages.Map(routes);
        ProfilePages.Map(routes);
        SettingsFeature.MapClinicSettings(routes);
    }

    private static async Task<SignedInPerson?> Person(HttpContext http)
    {
        if (http.Context().Tenant is null) return null;
        var me = await http.RequestServices.GetRequiredService<ReferenceMonitor>().Run(new ViewMe(), http.Caller(), http.RequestAborted);
        return me.Succeeded ? new(me.Value.Name, me.Value.Email, [.. me.Value.Roles.Select(DisplayName)]) : null;
    }

    internal static string DisplayName(string role) => BuiltInRole.TryFind(role, out var known) ? known.DisplayName : role;

    private static void Tables(ModelBuilder model)
    {
        model.Entity<MemberRow>(row =>
        {
            row.ToTable("member");
            row.Property(member => member.Status).HasAnnotation(ChaperoneDb.LoggedValue, true);
            row.Property(member => member.Roles).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<CredentialRow>(row =>
        {
            row.ToTable("credential");
            row.Property(credential => credential.TwoFactorEnabled).HasAnnotation(ChaperoneDb.LoggedValue, true);
        });
        model.Entity<SessionRow>(row => row.ToTable("session").HasAnnotation(RowWriter.Untracked, "sessions"));
        model.Entity<TrustedDeviceRow>(row => row.ToTable("trusted_device").HasAnnotation(RowWriter.Untracked, "devices"));
        model.Entity<SignInCounterRow>(row => row.ToTable("sign_in_counter").HasKey(counter => new { counter.TenantId, counter.Id }));
        model.Entity<OneTimeLinkRow>(row => row.ToTable("one_time_link").HasKey(link => new { link.TenantId, link.Id }));
    }
}

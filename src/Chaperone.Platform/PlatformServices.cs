using System.Reflection;
using Chaperone.Encryption;
using Chaperone.Platform.Ledger;
using Chaperone.Platform.Operations;
using Chaperone.Platform.Postgres;
using Chaperone.Platform.Sealing;
using Chaperone.Platform.Tenancy;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Chaperone.Platform;

/// <summary>Puts the platform into a container.</summary>
public static class PlatformServices
{
    /// <summary>Adds the reference monitor with every operation of <paramref name="features"/>, the databases and the key ring.</summary>
    /// <exception cref="InvalidOperationException">An operation is incomplete.</exception>
    public static IServiceCollection AddChaperonePlatform(this IServiceCollection services, Databases databases, RootKey root, params Assembly[] features)
    {
        services.AddSingleton(databases).AddSingleton(root).AddSingleton<KeyRing>().AddSingleton<TenantDirectory>();
        services.AddSingleton<AnonymousFailures>().AddSingleton<EventWriter>().AddSingleton<ReferenceMonitor>();
        services.AddScoped<CurrentScope>();
        services.AddScoped(provider => provider.GetRequiredService<CurrentScope>().Value ?? throw new InvalidOperationException("This is only to be had inside an operation."));
        services.AddPooledDbContextFactory<ChaperoneDb>(options => options
            .UseNpgsql()
            .ReplaceService<Microsoft.EntityFrameworkCore.Infrastructure.IModelCacheKeyFactory, ChaperoneDb.ModelOfParts>()
            .ConfigureWarnings(warnings => warnings.Ignore(CoreEventId.RowLimitingOperationWithoutOrderByWarning)));
        OperationRegistry.Register(services, [typeof(PlatformServices).Assembly, .. features]);
        return services;
    }
}

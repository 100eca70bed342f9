using Chaperone.Clinic.SignIn;
using Chaperone.Platform.Tenancy;
using Chaperone.Server.Commands;
using Chaperone.Server.Demo;

namespace Chaperone.Server.Hosting;

/// <summary>What a start does while there is no clinic: fill the demo, or make the one-time link that sets up the first clinic.</summary>
internal static class FirstStart
{
    /// <summary>Returns what to print.</summary>
    public static async Task<IReadOnlyList<string>> PrepareAsync(IServiceProvider services, UpRequest request, Listening listening, string dataFolder, CancellationToken cancel)
    {
        if (request.Demo) return await DemoData.FillAsync(services, dataFolder, cancel);
        if ((await services.GetRequiredService<TenantDirectory>().AllAsync(cancel)).Count > 0) return [];

        var path = await services.GetRequiredService<SetUpLinks>().MakeAsync(cancel);
        return [$"There is no clinic yet. Set up the first one with this link, which works once and for 24 hours: {listening.Url("localhost")}{path}"];
    }
}

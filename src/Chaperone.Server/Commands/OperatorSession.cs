using Chaperone.Platform.Postgres;
using Chaperone.Server.Embedded;
using Chaperone.Server.Hosting;

namespace Chaperone.Server.Commands;

/// <summary>What an operator's command works with: the installation's database, the running server's or started for the command, and the program's services without a web server.</summary>
internal sealed class OperatorSession : IAsyncDisposable
{
    private readonly EmbeddedCluster cluster;
    private readonly Databases databases;
    private readonly Installation installation;
    private readonly ServiceProvider services;

    private OperatorSession(EmbeddedCluster cluster, Databases databases, Installation installation, ServiceProvider services) =>
        (this.cluster, this.databases, this.installation, this.services) = (cluster, databases, installation, services);

    public IServiceProvider Services => services;

    /// <exception cref="CommandRefusedException">There is no installation in the folder, or its root key is missing.</exception>
    /// <exception cref="ClusterException">There is no cluster, or it does not start.</exception>
    public static async Task<OperatorSession> OpenAsync(string dataFolder, string? rootKey, CancellationToken cancel)
    {
        var logs = Logs.CreateFactory();
        var cluster = await EmbeddedCluster.AttachAsync(new ClusterOptions { DataFolder = dataFolder }, logs.CreateLogger("Chaperone.Database"), cancel);
        Databases? databases = null;
        try
        {
            databases = WebHost.Open(cluster);
            var installation = await Installation.OpenExistingAsync(databases, rootKey ?? WebHost.RootKeyPath(cluster.DataFolder), cancel);
            var collection = new ServiceCollection();
            collection.AddLogging(Logs.Configure);
            ChaperoneApp.AddServices(collection, new AppParts(databases, installation, cluster.DataFolder, Tls: false, TimeProvider.System));
            return new(cluster, databases, installation, collection.BuildServiceProvider());
        }
        catch
        {
            if (databases is not null) await databases.DisposeAsync();
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();
        await databases.DisposeAsync();
        installation.RootKey.Dispose();
        await cluster.DisposeAsync();
    }
}

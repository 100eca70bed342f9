using Chaperone.Scenarios;
using Chaperone.TestSupport;

[assembly: AssemblyFixture(typeof(ServerFixture))]

namespace Chaperone.Scenarios;

/// <summary>One running server for every scenario that can share it.</summary>
public sealed class ServerFixture : IAsyncLifetime
{
    public TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

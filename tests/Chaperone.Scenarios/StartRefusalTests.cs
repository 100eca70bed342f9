using System.Net;
using System.Net.Sockets;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>What <c>up</c> refuses, as a process: a sentence that names what is wrong, exit code 2, nothing half done.</summary>
public sealed class StartRefusalTests
{
    [Fact]
    public async Task A_port_in_use_is_refused_before_anything_is_made()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        var folder = Path.Combine(Path.GetTempPath(), $"chaperone-refused-{Guid.NewGuid():N}");
        var (code, said) = await ServerProcess.RunAsync("up", "--data", folder, "--port", $"{port}");
        Assert.Equal(2, code);
        Assert.Contains($"Port {port} is in use", said);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_data_folder_that_cannot_be_written_is_refused_by_name()
    {
        // A folder below a file: not even root can write there.
        var file = Path.GetTempFileName();
        try
        {
            var folder = Path.Combine(file, "data");
            var (code, said) = await ServerProcess.RunAsync("up", "--data", folder, "--port", $"{ServerProcess.FreePort()}");
            Assert.Equal(2, code);
            Assert.Contains(folder, said);
            Assert.DoesNotContain("   at ", said);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_missing_root_key_and_a_second_up_are_refused()
    {
        await using var folder = await ServerFolder.CreateAsync();
        var aside = folder.RootKeyFile + ".aside";
        File.Move(folder.RootKeyFile, aside);
        var (code, said) = await ServerProcess.RunAsync("up", "--data", folder.DataFolder, "--port", $"{ServerProcess.FreePort()}");
        Assert.Equal(2, code);
        Assert.Contains(folder.RootKeyFile, said);
        Assert.Contains(Encryption.RootKeyFile.Setting, said);
        Assert.False(File.Exists(folder.RootKeyFile));

        File.Move(aside, folder.RootKeyFile);
        using var server = await ServerProcess.UpAsync(folder.DataFolder);
        (code, said) = await ServerProcess.RunAsync("up", "--data", folder.DataFolder, "--port", $"{ServerProcess.FreePort()}");
        Assert.Equal(2, code);
        Assert.Contains(folder.DataFolder, said);
        using var client = new ClinicClient(server.Port, folder.Host);
        Assert.Equal("ready", (await client.GetAsync("/health/ready")).Text);
        Assert.Equal(0, await server.StopAsync());
    }

    [Theory]
    [InlineData("postgres (PostgreSQL) 12.19", "(seen: 12 in ")]
    [InlineData("postgres (PostgreSQL) 14.11 (Debian 14.11-1)", "(seen: 14 in ")]
    [InlineData("it is something else", "found none in ")]
    [InlineData(null, "found none in ")]
    public async Task Missing_and_too_old_PostgreSQL_is_refused_with_what_to_install(string? version, string seen)
    {
        var top = Directory.CreateTempSubdirectory("chaperone-programs-");
        try
        {
            var (programs, data) = (Path.Combine(top.FullName, "bin"), Path.Combine(top.FullName, "data"));
            Directory.CreateDirectory(programs);
            foreach (var name in version is null ? [] : new[] { "initdb", "pg_ctl", "postgres" })
            {
                await File.WriteAllTextAsync(Path.Combine(programs, name), $"#!/bin/sh\necho '{version}'\n");
                File.SetUnixFileMode(Path.Combine(programs, name), (UnixFileMode)0b111_101_101);
            }
            var (code, said) = await ServerProcess.RunAsync(new Dictionary<string, string> { ["Chaperone__PostgresFolder"] = programs }, "up", "--data", data, "--port", $"{ServerProcess.FreePort()}");
            Assert.Equal(2, code);
            Assert.StartsWith("chaperone: Chaperone needs the programs of PostgreSQL 15 or newer", said);
            Assert.Contains(seen, said);
            Assert.Contains(programs, said);
            Assert.Contains("apt install postgresql", said);
            Assert.DoesNotContain("   at ", said);
            Assert.Empty(Directory.Exists(data) ? Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories) : []);
        }
        finally
        {
            top.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("up", "--port", "0")]
    [InlineData("up", "--tls-cert", "/nothing.pem")]
    [InlineData("nonsense")]
    public async Task A_wrong_call_is_refused_with_a_sentence(params string[] arguments)
    {
        var (code, said) = await ServerProcess.RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.StartsWith("chaperone: ", said);
        Assert.DoesNotContain("   at ", said);
    }
}

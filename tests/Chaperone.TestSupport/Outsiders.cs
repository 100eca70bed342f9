using System.Diagnostics;

namespace Chaperone.TestSupport;

/// <summary>Verifiers that other people wrote, which know nothing of Chaperone: Go's x/mod and npm's @sigstore/verify. What a folder holds: tests/outsiders/check.go.</summary>
public static class Outsiders
{
    /// <summary>What Go's x/mod says of each folder: <c>accepted</c>, or <c>refused: </c> and why.</summary>
    public static Task<string[]> Go(params IReadOnlyCollection<string> folders)
    {
        var start = new ProcessStartInfo("go", ["run", Path.Combine(Root, "tests", "outsiders", "check.go")]) { UseShellExecute = false };
        start.Environment["GO111MODULE"] = "off";
        start.Environment["GOPATH"] = Environment.GetEnvironmentVariable("GOPATH") is { Length: > 0 } path ? path : "/usr/share/gocode";
        start.Environment["GOCACHE"] = Path.Combine(Root, ".build", "go");
        start.Environment["GOFLAGS"] = "";
        return Ask(start, folders);
    }

    /// <summary>What npm's @sigstore/verify says of each folder.</summary>
    public static Task<string[]> Sigstore(params IReadOnlyCollection<string> folders) => Ask(new("node", [Path.Combine(Root, "tests", "outsiders", "check.mjs")]) { UseShellExecute = false }, folders);

    /// <summary>Runs the verifier that stands in docs/ledger.md: exit code 0 good, 1 not, and what it said.</summary>
    /// <param name="zip">Bundle or evidence.</param>
    /// <param name="key">The log's vkey, or null for the one inside.</param>
    public static async Task<(int Code, string Said)> Python(byte[] zip, string? key = null, string? policy = null)
    {
        var folder = Directory.CreateTempSubdirectory("chaperone-python-").FullName;
        try
        {
            var page = await File.ReadAllTextAsync(Path.Combine(Root, "docs", "ledger.md"));
            var start = page.IndexOf("```python\n", StringComparison.Ordinal) + "```python\n".Length;
            await File.WriteAllTextAsync(Path.Combine(folder, "verify.py"), page[start..page.IndexOf("\n```", start, StringComparison.Ordinal)] + "\n");
            await File.WriteAllBytesAsync(Path.Combine(folder, "file.zip"), zip);
            await File.WriteAllTextAsync(Path.Combine(folder, "log.vkey"), key);
            await File.WriteAllTextAsync(Path.Combine(folder, "policy"), policy);
            return await Run("python3",
                [Path.Combine(folder, "verify.py"), Path.Combine(folder, "file.zip"), .. key is null ? Array.Empty<string>() : [Path.Combine(folder, "log.vkey")], .. policy is null ? Array.Empty<string>() : [Path.Combine(folder, "policy")]]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Runs a program to its end: exit code, and what it printed on both streams.</summary>
    public static async Task<(int Code, string Said)> Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (said, complained) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await said + await complained);
    }

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    private static async Task<string[]> Ask(ProcessStartInfo start, IReadOnlyCollection<string> folders)
    {
        (start.UseShellExecute, start.RedirectStandardInput, start.RedirectStandardOutput, start.RedirectStandardError) = (false, true, true, true);
        using var process = Process.Start(start)!;
        var (said, complained) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        foreach (var folder in folders) await process.StandardInput.WriteLineAsync(folder);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        var answers = (await said).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return answers.Length == folders.Count ? answers : throw new InvalidOperationException($"{start.FileName} ended with {process.ExitCode}: {await said}{await complained}");
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Chaperone.slnx"))) folder = folder.Parent;
        return folder?.FullName ?? throw new DirectoryNotFoundException("The repository's root was not found above " + AppContext.BaseDirectory);
    }
}

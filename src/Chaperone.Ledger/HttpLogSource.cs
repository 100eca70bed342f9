using System.Net;

namespace Chaperone.Ledger;

/// <summary>A log served over HTTP as C2SP tlog-tiles describes. The caller gives the client and with it time-outs and proxies, and disposes it.</summary>
public sealed class HttpLogSource(HttpClient client, Uri prefix) : LogSource
{
    private readonly Uri root = prefix.AbsoluteUri.EndsWith('/') ? prefix : new Uri(prefix.AbsoluteUri + "/");

    /// <inheritdoc/>
    public override byte[]? Read(string path)
    {
        try
        {
            // In a bundle the key's file says whose it is; a log's server has but one.
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(root, path == BundlePaths.Key ? "vkey" : path));
            using var response = client.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) return null;
            if (!response.IsSuccessStatusCode) throw new IOException($"{path}: the server answered {(int)response.StatusCode}.");
            using var body = response.Content.ReadAsStream();
            using var bytes = new MemoryStream();
            var buffer = new byte[81920];
            for (int read; (read = body.Read(buffer)) > 0; bytes.Write(buffer, 0, read))
                if (bytes.Length + read > LongestFile) return [];
            return bytes.ToArray();
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException or TaskCanceledException)
        {
            throw new IOException($"{path}: {unreachable.Message}", unreachable);
        }
    }
}

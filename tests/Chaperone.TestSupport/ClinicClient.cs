using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Chaperone.TestSupport;

/// <summary>What a server answered, read to its end.</summary>
public sealed record Answer(HttpStatusCode Status, IReadOnlyDictionary<string, string> Headers, IReadOnlyList<string> SetCookies, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public bool IsJson => Headers.GetValueOrDefault("Content-Type")?.Contains("json", StringComparison.Ordinal) == true;

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>The error's stable code: of problem details, or as an error page shows it.</summary>
    public string? Code
    {
        get
        {
            if (!IsJson) return Regex.Match(Text, @"CHP-[A-Z]+-\d{4}") is { Success: true } shown ? shown.Value : null;
            return Json is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("code", out var code) ? code.GetString() : null;
        }
    }

    public string? Location => Headers.GetValueOrDefault("Location");

    public override string ToString() => $"{(int)Status} {Code} {(Text.Length > 300 ? Text[..300] : Text)}";
}

/// <summary>A small browser: one host name, its own cookies, no redirects followed. Connects to the loopback address whatever the host.</summary>
public sealed partial class ClinicClient : IDisposable
{
    private readonly HttpClient http;
    private readonly Dictionary<string, string> cookies = [];

    public ClinicClient(int port, string host)
    {
        http = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None, UseProxy = false })
        {
            BaseAddress = new($"http://127.0.0.1:{port}"),
            Timeout = TimeSpan.FromSeconds(100),
        };
        (Port, Host) = (port, host);
    }

    public int Port { get; }

    /// <summary>Sent as Host header with the port.</summary>
    public string Host { get; set; }

    public string UserAgent { get; set; } = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    /// <summary>What it would send as cookies now.</summary>
    public IDictionary<string, string> Cookies => cookies;

    public Task<Answer> GetAsync(string path, Action<HttpRequestMessage>? with = null) => SendAsync(HttpMethod.Get, path, null, with);

    /// <summary>Sends a value, or with a string that text as it is, as JSON.</summary>
    public Task<Answer> JsonAsync(HttpMethod method, string path, object? body, Action<HttpRequestMessage>? with = null) =>
        SendAsync(method, path, body is string text ? new StringContent(text, Encoding.UTF8, "application/json") : JsonContent.Create(body), with);

    /// <summary>Posts a form with the token of <paramref name="page"/>, which must be a page with any form on it.</summary>
    public async Task<Answer> FormAsync(string path, IReadOnlyDictionary<string, string> fields, string page = "/", Action<HttpRequestMessage>? with = null)
    {
        var all = fields.ToDictionary();
        if (!all.ContainsKey("__token")) all["__token"] = await TokenAsync(page);
        return await SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(all), with);
    }

    /// <summary>The antiforgery token of a page.</summary>
    public async Task<string> TokenAsync(string page = "/")
    {
        var answer = await GetAsync(page);
        return TokenField().Match(answer.Text) is { Success: true } field
            ? WebUtility.HtmlDecode(field.Groups[1].Value)
            : throw new InvalidOperationException($"{page} has no form: {answer}");
    }

    public async Task<Answer> SendAsync(HttpMethod method, string path, HttpContent? content = null, Action<HttpRequestMessage>? with = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        request.Headers.Host = Host.Contains(':', StringComparison.Ordinal) ? Host : $"{Host}:{Port}";
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(path.StartsWith("/api", StringComparison.Ordinal) ? "application/json" : "text/html"));
        if (cookies.Count > 0) request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        with?.Invoke(request);

        using var response = await http.SendAsync(request);
        var body = await response.Content.ReadAsByteArrayAsync();
        var set = response.Headers.TryGetValues("Set-Cookie", out var sent) ? sent.ToList() : [];
        foreach (var cookie in set) Keep(cookie);
        return new(response.StatusCode, response.Headers.Concat(response.Content.Headers).GroupBy(header => header.Key, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(header => header.Key, header => string.Join(", ", header.SelectMany(value => value.Value)), StringComparer.OrdinalIgnoreCase), set, body);
    }

    public void Dispose() => http.Dispose();

    private void Keep(string cookie)
    {
        var parts = cookie.Split(';', StringSplitOptions.TrimEntries);
        var (name, value) = (parts[0][..parts[0].IndexOf('=', StringComparison.Ordinal)], parts[0][(parts[0].IndexOf('=', StringComparison.Ordinal) + 1)..]);
        var ended = value.Length == 0 || parts.Skip(1).Any(part =>
            part.Equals("max-age=0", StringComparison.OrdinalIgnoreCase)
            || (part.StartsWith("expires=", StringComparison.OrdinalIgnoreCase) && DateTimeOffset.TryParse(part[8..], out var until) && until < TimeProvider.System.GetUtcNow()));
        if (ended) cookies.Remove(name);
        else cookies[name] = value;
    }

    [GeneratedRegex("<input[^>]*name=\"__token\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex TokenField();
}

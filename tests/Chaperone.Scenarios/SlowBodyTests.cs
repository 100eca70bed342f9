using System.Net;
using System.Net.Sockets;
using System.Text;
using Chaperone.Clinic.Imports;
using Chaperone.Platform.Access;
using Chaperone.TestSupport;

namespace Chaperone.Scenarios;

/// <summary>Somebody sends, but so slowly that the answer would never come: they are told so, and neither their connection nor what it held stays taken.</summary>
public sealed class SlowBodyTests(ServerFixture fixture)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    [Theory]
    [InlineData("/api/auth/sign-in", "application/json", "{\"email\":\"", true)]
    [InlineData("/sign-in", "application/x-www-form-urlencoded", "email=", false)]
    public async Task A_slow_body_gets_408_and_the_connection_is_closed(string path, string type, string begins, bool isApi)
    {
        var said = await TrickleAsync($"POST {path} HTTP/1.1\r\nHost: {fixture.Server.First.Host}\r\nContent-Type: {type}\r\nContent-Length: 10000\r\n\r\n{begins}");
        Assert.StartsWith("HTTP/1.1 408 ", said);
        if (isApi) Assert.Contains("\"code\":\"CHP-PLATFORM-", said);
    }

    [Fact]
    public async Task Slow_headers_are_given_up()
    {
        var said = await TrickleAsync($"GET /sign-in HTTP/1.1\r\nHost: {fixture.Server.First.Host}\r\nX-Slow: ");
        Assert.True(said.Length == 0 || said.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), said);
    }

    [Fact]
    public async Task Slow_uploads_give_their_places_back_and_leave_nothing()
    {
        using var client = await fixture.Server.SignInAs(BuiltInRole.Reception);
        var cookies = string.Join("; ", client.Cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"));
        var before = await UploadsAsync();
        var request = $"POST /api/patients/import HTTP/1.1\r\nHost: {client.Host}:{client.Port}\r\nUser-Agent: {client.UserAgent}\r\nCookie: {cookies}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n\r\n"
            + "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\nContent-Type: text/csv\r\n\r\nFamily name,Date of birth\nSlowtest,1980-01-0";

        var answers = await Task.WhenAll(Enumerable.Range(0, ImportLimits.Uploads).Select(_ => TrickleAsync(request)));

        Assert.All(answers, said => Assert.StartsWith("HTTP/1.1 408 ", said));
        Assert.All(answers, said => Assert.Contains("CHP-PLATFORM-", said, StringComparison.Ordinal));
        Assert.Equal(before, await UploadsAsync());
        using var file = Plausible.Upload("Id,FIRST,LAST,BIRTHDATE,GENDER\n", null);
        Assert.NotEqual(HttpStatusCode.TooManyRequests, (await client.SendAsync(HttpMethod.Post, "/api/patients/import", file)).Status);
        using var other = fixture.Server.Visit(fixture.Server.First);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/sign-in")).Status);
    }

    private async Task<(long, long)> UploadsAsync()
    {
        var tenant = fixture.Server.First.Tenant.Id;
        return ((long)(await fixture.Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.upload_chunk WHERE tenant_id = '{tenant}'"))!, (long)(await fixture.Server.Database.ExecuteAsync($"SELECT count(*) FROM clinic.import_job WHERE tenant_id = '{tenant}'"))!);
    }

    /// <summary>Sends the beginning, then a byte every half second, until the other side has closed; everything it said.</summary>
    private async Task<string> TrickleAsync(string beginning)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, fixture.Server.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(beginning));
        var (said, buffer, began) = (new StringBuilder(), new byte[16 * 1024], TimeProvider.System.GetTimestamp());
        while (TimeProvider.System.GetElapsedTime(began) < Patience)
        {
            await Task.Delay(500);
            try
            {
                if (socket.Client.Poll(0, SelectMode.SelectRead))
                {
                    var read = await stream.ReadAsync(buffer);
                    if (read == 0) return said.ToString();
                    said.Append(Encoding.UTF8.GetString(buffer, 0, read));
                    continue;
                }
                await stream.WriteAsync("a"u8.ToArray());
            }
            catch (IOException)
            {
                return said.ToString();   // closed while we were still sending
            }
        }
        throw new TimeoutException($"The connection is still open after {Patience}: {said}");
    }
}

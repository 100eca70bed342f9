using System.Buffers;
using System.Buffers.Binary;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Chaperone.Clinic.Streams.Shapes;
using Chaperone.Platform;

namespace Chaperone.Clinic.Streams.Receivers;

/// <summary>Hands messages over as syslog over TLS (RFC 5424, RFC 5425), a connection for each message of up to some hundred events.</summary>
/// <remarks>
/// Syslog has no acknowledgement, so the end of the connection stands in for it: what we wrote is acknowledged when the receiver's machine has confirmed every byte while the connection stood,
/// and the receiver then, having been told that nothing more comes, ended it in order. A receiver that ends it with bytes unread, dies, or ends it first, resets the connection or is seen to
/// have gone, and all of it is sent again. See docs/decisions/0028.
/// </remarks>
internal sealed class SyslogReceiver(StreamDetails details, OutsideNetworks networks, ReceiverPatience patience, TimeProvider clock) : IReceiver
{
    private const int Piece = 16 * 1024, MostHeard = 64 * 1024;
    private const int IpProtoTcp = 6, TcpInfo = 11, Established = 1, StateAt = 0, UnackedAt = 24, UnsentAt = 144, InfoLength = 148;
    private static readonly TimeSpan LongestLook = TimeSpan.FromMilliseconds(20);

    public Task<Delivery> SendAsync(StreamMessage message, CancellationToken cancel)
    {
        var frames = new ArrayBufferWriter<byte>();
        foreach (var each in message.Events) SyslogFrame.Write(frames, each, StreamShapes.Line(message.Shape, each, message.Context), message.Context);
        return WriteAsync(frames.WrittenMemory, cancel);
    }

    public Task<Delivery> TestAsync(ShapeContext context, CancellationToken cancel)
    {
        var frames = new ArrayBufferWriter<byte>();
        SyslogFrame.WriteTest(frames, clock.GetUtcNow(), context);
        return WriteAsync(frames.WrittenMemory, cancel);
    }

    public void Dispose()
    {
        // every message has a connection of its own
    }

    private async Task<Delivery> WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancel)
    {
        using var whole = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        whole.CancelAfter(patience.Whole);
        var connected = false;
        try
        {
            using var socket = await networks.ConnectAsync(details.Host!, details.Port!.Value, tls: true, whole.Token);
            await using var plain = new NetworkStream(socket, ownsSocket: false);
            await using var secured = new SslStream(plain, leaveInnerStreamOpen: true);
            await secured.AuthenticateAsClientAsync(ReceiverTls.Options(details, details.Host!), whole.Token);
            connected = true;
            for (var at = 0; at < frames.Length; at += Piece) await secured.WriteAsync(frames.Slice(at, Math.Min(Piece, frames.Length - at)), whole.Token);
            await secured.FlushAsync(whole.Token);
            if (!await ArrivedAsync(socket, whole.Token)) return new(StreamFault.Lost);
            await secured.ShutdownAsync().WaitAsync(whole.Token);
            socket.Shutdown(SocketShutdown.Send);
            return new(await EndedAsync(secured, whole.Token) ? null : StreamFault.Lost);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(StreamFault.Slow);
        }
        catch (Exception failed) when (failed is IOException or SocketException or AuthenticationException or CryptographicException or InvalidOperationException)
        {
            return new(connected ? StreamFault.Lost : failed is IOException and not ForbiddenAddressException ? StreamFault.NoTls : ReceiverTls.FaultOf(failed));
        }
    }

    // Every byte confirmed by the receiver's machine, and the connection still whole: whoever had ended it before would have answered what came after with a reset.
    private static async Task<bool> ArrivedAsync(Socket socket, CancellationToken cancel)
    {
        if (!OperatingSystem.IsLinux()) return true;
        var info = new byte[InfoLength];
        for (var look = TimeSpan.FromMilliseconds(1); ; look = look < LongestLook ? look * 2 : LongestLook)
        {
            if (socket.GetRawSocketOption(IpProtoTcp, TcpInfo, info) < InfoLength || info[StateAt] != Established) return false;
            if (Number(info, UnackedAt) == 0 && Number(info, UnsentAt) == 0) return true;
            await Task.Delay(look, cancel);
        }

        static uint Number(byte[] info, int at) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReadUInt32LittleEndian(info.AsSpan(at)) : BinaryPrimitives.ReadUInt32BigEndian(info.AsSpan(at));
    }

    private static async Task<bool> EndedAsync(SslStream stream, CancellationToken cancel)
    {
        var heard = new byte[4096];
        for (var total = 0; total < MostHeard;)
        {
            var read = await stream.ReadAsync(heard, cancel);
            if (read == 0) return true;
            total += read;
        }
        return false;
    }
}

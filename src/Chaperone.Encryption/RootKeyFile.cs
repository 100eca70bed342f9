using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Chaperone.Encryption;

/// <summary>The root key cannot be had. The message names the setting <c>Chaperone:RootKey</c>, the path, and what to do; it is meant for the operator.</summary>
public sealed class RootKeyException : Exception
{
    internal RootKeyException(string message, Exception? inner = null) : base($"{RootKeyFile.Setting}: {message}", inner) { }
}

/// <summary>
/// The root key in a file of its own: one line, <c>chaperone-root-key-v1:</c> and 32 bytes in base64, readable by its owner only. Whoever has this file and the
/// database's disk can read everything; it belongs in no backup.
/// </summary>
public static class RootKeyFile
{
    /// <summary>The setting that names the file.</summary>
    public const string Setting = "Chaperone:RootKey";

    private const int LongestFile = 256;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OthersToo =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private static ReadOnlySpan<byte> Prefix => "chaperone-root-key-v1:"u8;

    /// <summary>Makes a new random root key and its file (mode 0600, and its folder 0700 if missing), on disk before this returns. Call only while no database exists.</summary>
    /// <exception cref="RootKeyException">A file is there already, whatever is in it, or it cannot be written; then nothing is left behind.</exception>
    public static RootKey Create(string path)
    {
        Span<byte> secret = stackalloc byte[DataKey.SecretLength];
        Span<byte> line = stackalloc byte[LongestFile];
        try
        {
            RandomNumberGenerator.Fill(secret);
            Prefix.CopyTo(line);
            Base64.EncodeToUtf8(secret, line[Prefix.Length..], out _, out var written);
            line[Prefix.Length + written] = (byte)'\n';
            Write(path, line[..(Prefix.Length + written + 1)]);
            return new RootKey(secret);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            CryptographicOperations.ZeroMemory(line);
        }
    }

    /// <summary>Reads the root key.</summary>
    /// <exception cref="RootKeyException">Missing, unreadable, readable by others, or not a root key.</exception>
    public static RootKey Load(string path)
    {
        Span<byte> line = stackalloc byte[LongestFile];
        Span<byte> secret = stackalloc byte[LongestFile];
        try
        {
            var length = Read(path, line);
            var text = line[..length].TrimEnd("\r\n"u8);
            if (!text.StartsWith(Prefix))
                throw new RootKeyException($"'{path}' is not a root key file; it must hold one line that starts with '{Encoding.ASCII.GetString(Prefix)}'.");
            text = text[Prefix.Length..];
            if (Base64.DecodeFromUtf8(text, secret, out var consumed, out var bytes) != System.Buffers.OperationStatus.Done || consumed != text.Length)
                throw new RootKeyException($"the key in '{path}' is not valid base64.");
            if (bytes != DataKey.SecretLength)
                throw new RootKeyException($"the key in '{path}' has {bytes} bytes; it must have {DataKey.SecretLength}.");
            if (!secret[..bytes].ContainsAnyExcept((byte)0))
                throw new RootKeyException($"the key in '{path}' is all zeros.");
            return new RootKey(secret[..bytes]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(line);
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private static void Write(string path, ReadOnlySpan<byte> line)
    {
        var made = false;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder && !Directory.Exists(folder))
            {
                if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
                else Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
            }
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 0 };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using var file = new FileStream(path, options);
            made = true;
            file.Write(line);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (made) File.Delete(path);
            throw new RootKeyException(!made && File.Exists(path) ? $"'{path}' exists already and is never overwritten." : $"'{path}' cannot be written: {e.Message}", e);
        }
    }

    private static int Read(string path, Span<byte> line)
    {
        try
        {
            using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, BufferSize = 0 });
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & OthersToo) != UnixFileMode.None)
                throw new RootKeyException($"'{path}' can be read or changed by other users (mode {Convert.ToString((int)File.GetUnixFileMode(file.SafeFileHandle), 8)}); set it to 600 (chmod 600 '{path}').");
            var length = file.ReadAtLeast(line, line.Length, throwOnEndOfStream: false);
            return length < line.Length ? length : throw new RootKeyException($"'{path}' is too long for a root key file.");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RootKeyException($"no root key file at '{path}'. Without it nothing can be opened: put the file back, or name its place with --root-key.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RootKeyException($"'{path}' cannot be read: {e.Message}", e);
        }
    }
}

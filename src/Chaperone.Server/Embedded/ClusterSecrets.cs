using System.Buffers.Text;
using System.Security.Cryptography;

namespace Chaperone.Server.Embedded;

/// <summary>The generated passwords of the cluster's roles: one file each in <c>&lt;data&gt;/secrets</c> (0700), mode 0600, 32 random bytes in base64url.</summary>
internal sealed class ClusterSecrets(string dataFolder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string folder = Path.Combine(dataFolder, "secrets");

    public string FileOf(ClusterRole role) => Path.Combine(folder, $"{ClusterRoles.NameOf(role)}.password");

    public bool Has(ClusterRole role) => File.Exists(FileOf(role));

    public string Read(ClusterRole role)
    {
        try
        {
            return File.ReadAllText(FileOf(role)).Trim();
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            throw new ClusterException($"The password file {FileOf(role)} cannot be read: {missing.Message}", missing);
        }
    }

    /// <summary>Removes all passwords: those of a cluster that was never finished.</summary>
    public void Forget()
    {
        if (!Directory.Exists(folder)) return;
        foreach (var role in Enum.GetValues<ClusterRole>()) File.Delete(FileOf(role));
    }

    /// <summary>Makes a password. The file appears whole or not at all.</summary>
    public string Create(ClusterRole role)
    {
        Directory.CreateDirectory(folder, OwnerOnly | UnixFileMode.UserExecute);
        var password = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
        var unfinished = FileOf(role) + ".new";
        File.Delete(unfinished);
        using (var file = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(password));
            file.Flush(flushToDisk: true);
        }

        File.Move(unfinished, FileOf(role), overwrite: true);
        return password;
    }
}

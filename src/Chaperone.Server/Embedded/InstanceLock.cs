namespace Chaperone.Server.Embedded;

/// <summary>One running server per data folder. The kernel holds the lock for this process, so it ends with it, even by kill -9.</summary>
internal sealed class InstanceLock : IDisposable
{
    private const int WouldBlock = 11;
    private const int WouldBlockOnMac = 35;

    private readonly FileStream file;

    private InstanceLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock, or returns null when another process has it.</summary>
    public static InstanceLock? TryTake(string path)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB), and the descriptor is not inherited by PostgreSQL.
            // Nobody else may open the file: who can read it can lock it.
            return new InstanceLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException busy) when (busy.HResult is WouldBlock or WouldBlockOnMac)
        {
            return null;
        }
    }

    public void Dispose() => file.Dispose();
}

namespace Chaperone.Clinic.Home;

/// <summary>Room on a disk, in bytes.</summary>
public sealed record DiskRoom(long Free, long Total)
{
    /// <summary>Whether somebody should see to it: less than a tenth is free.</summary>
    public bool IsShort => Free < Total / 10;
}

/// <summary>The folder the installation keeps its data in.</summary>
public sealed record DataFolder(string Path)
{
    /// <summary>How much room its disk has; null where the system does not say.</summary>
    public DiskRoom? Room()
    {
        try
        {
            var drive = new DriveInfo(Path);
            return new(drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception silent) when (silent is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}

using Chaperone.Platform.Operations;

namespace Chaperone.Clinic.Settings;

/// <summary>Errors of the clinic's settings, one line per rule.</summary>
public static class SettingsErrors
{
    /// <summary>A field cannot be as it was sent.</summary>
    public static readonly Error Invalid = new("CHP-SETTINGS-0001", "These settings cannot be saved.", 422, "Correct the fields that are named.");

    /// <summary>Another clinic of this installation has the host name.</summary>
    public static readonly Error HostTaken = new("CHP-SETTINGS-0002", "Another clinic has this address.", 409, "Choose another host name; each leads to one clinic.");

    /// <summary>The picture is none, is too large, or of a sort that is not taken.</summary>
    public static readonly Error LogoRefused = new("CHP-SETTINGS-0003", "This picture cannot be the logo.", 422, "Send a PNG, JPEG or WebP picture of at most 512 kB, 16 to 2000 pixels wide and high.");
}

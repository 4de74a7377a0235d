using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Web.Hosting;
using System.Web.UI;

/// <summary>
/// Shows a fragment. It is asked for at most once a minute, by one visitor, for
/// two seconds; else, and if that fails, the last good copy in App_Data is shown.
/// .NET Framework 4.6.1 or newer, no package.
/// </summary>
public partial class DiemTin : UserControl
{
    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan Fresh = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly ConcurrentDictionary<string, DateTime> Tried = new ConcurrentDictionary<string, DateTime>();

    /// <summary>The address of the fragment: a constant of the page, never what a visitor sent.</summary>
    public string Address { get; set; }

    protected void Page_Load(object sender, EventArgs e)
    {
        var html = Get(Address);
        News.Text = html.Length > 0 ? html : "<p>Tin đang được cập nhật.</p>";
    }

    private static string Get(string address)
    {
        var file = Path.Combine(HostingEnvironment.MapPath("~/App_Data"), "diemtin-" + Hash(address) + ".html");
        var copy = File.Exists(file) ? File.ReadAllText(file, Encoding.UTF8) : "";
        var now = DateTime.UtcNow;
        DateTime last = Tried.GetOrAdd(address, DateTime.MinValue);
        if (now - last < Fresh || !Tried.TryUpdate(address, now, last)) // somebody else asks
        {
            return copy;
        }
        try
        {
            var body = Fetch(address);
            if (!body.StartsWith("<div class=\"diemtin\"", StringComparison.Ordinal) || !body.TrimEnd().EndsWith("</div>", StringComparison.Ordinal))
            {
                return copy;
            }
            var temp = file + "." + Guid.NewGuid().ToString("N");
            File.WriteAllText(temp, body, new UTF8Encoding(false));
            if (File.Exists(file)) File.Replace(temp, file, null); else File.Move(temp, file);
            return body;
        }
        catch (Exception x) when (x is WebException || x is IOException || x is UnauthorizedAccessException)
        {
            return copy;
        }
    }

    private static string Fetch(string address)
    {
        var end = DateTime.UtcNow + Patience;
        var request = (HttpWebRequest)WebRequest.Create(address);
        request.Timeout = (int)Patience.TotalMilliseconds;
        request.ReadWriteTimeout = (int)Patience.TotalMilliseconds;
        request.AutomaticDecompression = DecompressionMethods.GZip;
        request.MaximumAutomaticRedirections = 3;
        request.UserAgent = "diemtin-sample (Web Forms)";
        using (var response = request.GetResponse())
        using (var stream = response.GetResponseStream())
        using (var body = new MemoryStream())
        {
            var part = new byte[16384];
            int n;
            while ((n = stream.Read(part, 0, part.Length)) > 0)
            {
                body.Write(part, 0, n);
                if (body.Length > MaxBytes || DateTime.UtcNow > end) return "";
            }
            return Encoding.UTF8.GetString(body.ToArray());
        }
    }

    private static string Hash(string s)
    {
        using (var sha = SHA256.Create())
        {
            return BitConverter.ToString(sha.ComputeHash(Encoding.UTF8.GetBytes(s))).Replace("-", "").ToLowerInvariant();
        }
    }
}
